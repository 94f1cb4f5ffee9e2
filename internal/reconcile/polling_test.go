package reconcile_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
)

// Many hosts would keep a server down that all ask it as often as ever.
func TestPollsOfARepositoryThatDoesNotAnswerBackOff(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		w.repo.forget()
		later(time.Hour)
		if asked, _ := w.repo.asked(); asked < 24 || asked > 34 {
			t.Errorf("it was asked %d times in an hour, want some 28: every two minutes and a bit", asked)
		}
		w.repo.fail(nil)
		later(3 * time.Minute)
		w.repo.forget()
		later(10 * time.Minute)
		if asked, _ := w.repo.asked(); asked != 20 {
			t.Errorf("once it answers, it is asked %d times in ten minutes, want 20", asked)
		}
	})
}

// A repository that nothing changes in is asked every five minutes in the end, and
// every thirty seconds once something has.
func TestPollsOfARepositoryThatDoesNotChangeBecomeRare(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		asked := func(what string, wait, over time.Duration, least, most int) {
			t.Helper()
			later(wait)
			w.repo.forget()
			later(over)
			if got, _ := w.repo.asked(); got < least || got > most {
				t.Errorf("%s: asked %d times in %v, want %d to %d", what, got, over, least, most)
			}
		}
		asked("in the first half hour", 0, 30*time.Minute, 58, 61)
		asked("after two hours", 90*time.Minute, 10*time.Minute, 4, 6)
		asked("after a night", 8*time.Hour, time.Hour, 12, 12)
		w.repo.shop(healthy("v2"))
		asked("after a change", 5*time.Minute, 10*time.Minute, 20, 20)
		asked("after another night", 10*time.Hour, time.Hour, 12, 12)
		w.ends(reconcile.Unchanged)
		asked("after somebody asked", 0, 10*time.Minute, 20, 20)
		asked("after one more night", 10*time.Hour, time.Hour, 12, 12)
		w.agent.Look()
		asked("after a SIGHUP", 0, 10*time.Minute, 20, 21)
	})
}

func TestPollsNeedNotBecomeRare(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(func(o *reconcile.Options) { o.Host.Repo.MaxInterval = o.Host.Repo.Interval })
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(24 * time.Hour)
		w.repo.forget()
		later(time.Hour)
		if asked, _ := w.repo.asked(); asked != 120 {
			t.Errorf("asked %d times in an hour, want 120", asked)
		}
	})
}

// unlisted is a repository whose apps cannot be found, as in one that is too
// large for the renderer.
type unlisted struct {
	*repo
	tries, forgotten atomic.Int64
}

func (u *unlisted) Discover(context.Context, render.DiscoverRequest) (render.Discovery, error) {
	u.tries.Add(1)
	return render.Discovery{}, fault.As(fault.Rejected, errors.New("discover took longer than 1m0s and was ended"))
}

func (u *unlisted) Forget() { u.forgotten.Add(1) }

func TestARefusedRevisionIsNotLookedAtAtEachPoll(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		u := &unlisted{repo: w.repo}
		w.repo.shop(healthy("v1"))
		w.restart(func(o *reconcile.Options) { o.Source, o.Renderer = u, u })
		stop := w.background()
		defer stop()
		tries := func(what string, d time.Duration, want int64) {
			t.Helper()
			later(d)
			if got := u.tries.Swap(0); got != want {
				t.Errorf("%s: looked at %d times, want %d", what, got, want)
			}
		}
		tries("at first", 9*time.Minute, 1)
		tries("after ten minutes", 2*time.Minute, 1)
		w.agent.Look()
		tries("at a SIGHUP", time.Minute, 1)
		for range 2 {
			if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); fault.Of(err) != fault.Rejected {
				t.Errorf("sync ends with %v", err)
			}
		}
		tries("at each sync", time.Minute, 2)
		if _, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{}); fault.Of(err) != fault.Rejected {
			t.Errorf("plan ends with %v", err)
		}
		tries("at a plan, which anybody may ask for", 0, 0)
		if _, err := w.agent.Act(t.Context(), "retry", reconcile.ActRequest{App: "shop", Who: "ann"}, nil); fault.Of(err) != fault.Rejected {
			t.Errorf("retry ends with %v", err)
		}
		tries("at a person's word", 0, 1)
		if got := u.forgotten.Load(); got != 4 {
			t.Errorf("the source was told %d times that somebody asks, want 4", got)
		}
		w.repo.shop(healthy("v2"))
		tries("another revision", time.Minute, 1)
	})
}
