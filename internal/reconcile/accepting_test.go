package reconcile_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
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

// crowded is asked twice at the same time: by a person who accepts what is refused, and
// by somebody else, who is given an older revision by a mirror.
type crowded struct {
	*held
	calls atomic.Int64
	// first keeps the first from its answer, accepting the second from accepting it.
	first, accepting chan struct{}
	between          atomic.Bool // the second is under way
	overlap          atomic.Bool // and the person's word came meanwhile
}

func (c *crowded) Resolve(ctx context.Context) (string, error) {
	switch c.calls.Add(1) {
	case 1:
		<-c.first
	case 2:
		c.between.Store(true)
		return commitName(0), nil
	}
	return c.held.Resolve(ctx)
}

func (c *crowded) Accept(commit string) error {
	<-c.accepting
	defer c.between.Store(false)
	return c.held.Accept(commit)
}

func (c *crowded) AcceptRewrite(digits string, by source.Word) (string, error) {
	later(time.Second) // whoever waited to look does
	c.overlap.Store(c.between.Load())
	return c.held.AcceptRewrite(digits, by)
}

// What a look under way accepts goes by what was accepted before: it does not undo a
// person's word.
func TestAcceptingARewriteComesBetweenTwoLooks(t *testing.T) {
	holding(t, func(t *testing.T, w *world, h *held) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		forced := commitName(1)
		h.set(func() { h.refused = forced })
		c := &crowded{held: h, first: make(chan struct{}), accepting: make(chan struct{})}
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = c, h })
		var group sync.WaitGroup
		for _, req := range []reconcile.SyncRequest{{Who: "ann", AcceptRewrite: forced}, {Who: "bob"}} {
			group.Go(func() {
				if _, err := w.agent.Sync(t.Context(), req, nil); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		close(c.first)
		later(time.Minute)
		close(c.accepting)
		group.Wait()
		if h.accepted != forced || c.overlap.Load() {
			t.Errorf("accepted is %s, want %s; accepted in the middle of a look: %v", h.accepted, forced, c.overlap.Load())
		}
	})
}
