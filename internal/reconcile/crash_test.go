package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

var errCrash = errors.New("the agent was killed")

// crashAfter makes a pass that ends abruptly after the first call of a verb:
// nothing that comes later reaches the target or the record.
func (w *world) crashAfter(verb string) {
	w.t.Helper()
	ctx, kill := context.WithCancelCause(w.t.Context())
	defer kill(nil)
	w.target.OnCall(func(c applytest.Call) error {
		if ctx.Err() != nil {
			return errCrash
		}
		if c.Verb == verb {
			kill(errCrash)
		}
		return nil
	})
	defer w.target.OnCall(nil)
	if _, err := w.agent.Sync(ctx, reconcile.SyncRequest{Apps: []string{"shop"}}, nil); err != nil && !errors.Is(err, errCrash) && !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
}

// crashAt makes a pass that is killed at its nth change of the target: before
// the call where early is true, after it where not. It tells whether the pass
// came that far.
func (w *world) crashAt(n int, early bool) bool {
	w.t.Helper()
	ctx, kill := context.WithCancelCause(w.t.Context())
	defer kill(nil)
	w.target.Forget()
	if early {
		w.target.FailAt(n, errCrash)
	} else {
		w.target.LoseAnswerAt(n, errCrash)
	}
	var reached atomic.Bool
	w.target.OnCall(func(applytest.Call) error {
		if w.target.Changes() >= n {
			reached.Store(true)
			kill(errCrash)
			return errCrash
		}
		return nil
	})
	defer w.target.OnCall(nil)
	_, err := w.agent.Sync(ctx, reconcile.SyncRequest{Apps: []string{"shop"}}, nil)
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, context.Canceled) {
		w.t.Fatal(err)
	}
	w.target.OnCall(nil)
	return reached.Load()
}

// cutShort makes a pass that the agent's end cuts short after a while: in its
// soak, where nothing is left to do.
func (w *world) cutShort(after time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), after)
	defer cancel()
	if res, err := w.agent.Sync(ctx, reconcile.SyncRequest{}, nil); err != nil || res[0].Outcome != reconcile.Unreachable {
		w.t.Fatalf("the pass ended %v, %v: want it cut short", res, err)
	}
}

// A change that was cut short in its soak, when nothing was left to do, is in the
// history all the same.
func TestResumedChangeIsBooked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.cutShort(3 * time.Second)
		w.restart()
		if res := w.ends(reconcile.Applied); !res.Plan.Empty() {
			t.Fatalf("the pass still had to do\n%s", res.Plan)
		}
		history, err := w.agent.History(t.Context(), "shop", 10)
		w.must(err)
		if len(history) != 2 || history[0].Revision.Commit != commitName(1) {
			t.Errorf("the history is %+v, want both changes", history)
		}
	})
}

// TestKilledAtEveryStepResumes kills the agent at each change of the target in
// turn, before and after the call took effect, and lets a new one go on.
func TestKilledAtEveryStepResumes(t *testing.T) {
	good := resource.Sorted(append(service("web", 2, `"image":"v1"`), one("db", `"image":"v1"`)))
	next := resource.Sorted(append(service("web", 3, `"image":"v2"`), one("cache", `"image":"v2"`)))
	bad := resource.Sorted(append(service("web", 2, `"image":"v3","health":"never"`), one("cache", `"image":"v3"`)))
	for name, c := range map[string]struct {
		want    []resource.Object
		outcome []reconcile.Outcome
		image   string
	}{
		"a change that works": {next, []reconcile.Outcome{reconcile.Applied, reconcile.Unchanged}, "v2"},
		"a change that fails": {bad, []reconcile.Outcome{reconcile.RolledBack, reconcile.Held}, "v1"},
	} {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, early %t", name, early), func(t *testing.T) {
				for n, reached := 1, true; reached; n++ {
					within(t, func(t *testing.T, w *world) {
						w.repo.shop(good...)
						w.ends(reconcile.Applied)
						w.repo.shop(c.want...)
						reached = w.crashAt(n, early)
						w.restart()
						if res := w.pass(); res.Outcome != c.outcome[0] && res.Outcome != c.outcome[1] {
							t.Fatalf("killed at change %d, the next pass ended %s (%s)\n%s", n, res.Outcome, res.Reason, w.target.Log())
						}
						w.runs("web", c.image)
						w.ends(c.outcome[1])
						if broken := w.target.Broken(); len(broken) > 0 {
							t.Errorf("killed at change %d: %v", n, broken)
						}
					})
				}
			})
		}
	}
}
