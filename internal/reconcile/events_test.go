package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// telling is an engine that tells what happens on it.
type telling struct {
	*world
	events chan string
}

func (e *telling) Watch(context.Context) <-chan string { return e.events }

// A Git server that swallows questions holds up nobody's repair.
func TestEventsAreHeardWhileTheRepositoryIsAsked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		engine := &telling{world: w, events: make(chan string)}
		w.restart(func(o *reconcile.Options) { o.Engine = engine })
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(25 * time.Second)
		w.repo.onResolve(func() { time.Sleep(5 * time.Minute) }) //nolint:forbidigo // the bubble's clock
		later(10 * time.Second)
		w.target.Vanish(key("web"))
		engine.events <- "shop"
		later(time.Second)
		w.runs("web", "v1")
		w.target.Vanish(key("web"))
		w.agent.Look() // a SIGHUP is heard as well
		later(time.Second)
		w.runs("web", "v1")
		w.repo.onResolve(nil)
	})
}

// An outage is told when it begins and when it changes, and not at each poll.
func TestSourceTroubleIsToldOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		var told []string
		w.restart(func(o *reconcile.Options) {
			o.Hear = func(e reconcile.Event) {
				if strings.Contains(e.Text, "the repository") {
					told = append(told, e.Text)
				}
			}
		})
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		for _, trouble := range []string{"no route", "no route", "no such host"} {
			w.repo.fail(fault.As(fault.Unreachable, errors.New(trouble)))
			later(10 * time.Minute)
		}
		w.repo.fail(nil)
		later(10 * time.Minute)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no such host")))
		later(10 * time.Minute)
		if len(told) != 3 {
			t.Errorf("it was told %d times, want at each change:\n%s", len(told), strings.Join(told, "\n"))
		}
		w.repo.fail(nil)
	})
}

// Of two apps of one commit, one takes the port that the other gives up: one sync
// is enough.
func TestSyncPassesAgainOverWhatAnotherAppHeldUp(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		both := func(image string) map[string]appFiles {
			return map[string]appFiles{
				"blog": {objects: []resource.Object{one("blog", `"image":"`+image+`","health":"slow:5s"`)}},
				"shop": {objects: []resource.Object{healthy(image)}},
			}
		}
		w.repo.merge(both("v1"))
		w.synced(reconcile.Applied, reconcile.Applied)
		held := w.others["blog"].Instances(key("blog"))[0].Ref
		w.target.OnCall(func(c applytest.Call) error {
			for _, i := range w.others["blog"].Instances(key("blog")) {
				if c.Verb == "validate" && i.Ref.ID == held.ID {
					return fault.As(fault.Blocked, errors.New("port 80 is held by blog"))
				}
			}
			return nil
		})
		w.repo.merge(both("v2"))
		w.synced(reconcile.Applied, reconcile.Applied)
		w.runs("web", "v2")
		w.synced(reconcile.Unchanged, reconcile.Unchanged)
	})
}

// synced fails the test unless a pass over all apps ends so, in name order.
func (w *world) synced(outcomes ...reconcile.Outcome) {
	w.t.Helper()
	results, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{}, nil)
	w.must(err)
	if len(results) != len(outcomes) {
		w.t.Fatalf("%d results, want %d", len(results), len(outcomes))
	}
	for i, res := range results {
		if res.Outcome != outcomes[i] {
			w.t.Errorf("app %s ended %s (%s), want %s", res.App, res.Outcome, res.Reason, outcomes[i])
		}
	}
}
