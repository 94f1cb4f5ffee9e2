package reconcile_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// acceptances are the entries of an app's history that say who accepted what.
func (w *world) acceptances(app string) []state.Entry {
	w.t.Helper()
	all, err := w.agent.History(w.t.Context(), app, 0)
	w.must(err)
	return slices.DeleteFunc(all, func(e state.Entry) bool { return e.Kind != "accept" })
}

// A rollout that takes its time keeps neither the person waiting nor the word out of
// the history: of any app, whoever was asked for.
func TestAcceptingARewriteWaitsForNoRollout(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.merge(two("v1", "v1"))
		stop := sync.OnceFunc(w.background())
		defer stop()
		later(time.Minute)
		slow := two("v1", "v1")
		slow["shop"] = watched(12*time.Hour, healthy("v2"))
		w.repo.merge(slow)
		later(time.Minute) // the shop is in its soak, which nothing newer ends
		w.repo.merge(two("v3", "v2"))
		forced := commitName(2)
		h.set(func() { h.refused = forced })
		begun := time.Now()
		res, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{Apps: []string{"blog"}, Who: "ann", AcceptRewrite: forced}, nil)
		w.must(err)
		if took := time.Since(begun); took > time.Minute || res[0].Outcome != reconcile.Applied {
			t.Errorf("the person waited %s; the pass ended %s (%s)", took, res[0].Outcome, res[0].Reason)
		}
		w.runs("web", "v2")
		told := func() {
			t.Helper()
			for _, app := range []string{"shop", "blog"} {
				if said := w.acceptances(app); len(said) != 1 || said[0].Who != "ann" || said[0].Revision.Commit != forced || said[0].App != app {
					t.Errorf("the history of %s says %+v", app, said)
				}
			}
		}
		told()
		stop()
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = h, h })
		told()
	})
}
