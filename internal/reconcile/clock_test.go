package reconcile_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// wallClock is a host's clock, which somebody sets: it goes with the bubble's, and
// jumps where a test says so. Like what is read from the disk, it has no monotonic
// part.
type wallClock struct{ ahead atomic.Int64 }

func (c *wallClock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())).Round(0) }
func (c *wallClock) jump(d time.Duration) { c.ahead.Add(int64(d)) }

const year = 365 * 24 * time.Hour

// clocked runs a test with a clock of its own, once for each way that it may jump.
func clocked(t *testing.T, test func(t *testing.T, w *world, clock *wallClock, jump time.Duration)) {
	t.Helper()
	for name, jump := range map[string]time.Duration{"forward": year, "backward": -year} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				clock := &wallClock{}
				w.restart(withClock(clock))
				test(t, w, clock, jump)
			})
		})
	}
}

func withClock(c *wallClock) func(*reconcile.Options) {
	return func(o *reconcile.Options) { o.Now = c.now }
}

// The poll goes by a clock that nobody can set.
func TestClockJumpLeavesThePollAsItIs(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Forget()
		w.repo.forget()
		clock.jump(jump)
		later(5 * 30 * time.Second)
		if resolved, _ := w.repo.asked(); resolved != 5 {
			t.Errorf("%d ref queries in five intervals", resolved)
		}
		if calls := len(w.target.Calls()); calls != 0 {
			t.Errorf("%d target calls:\n%s", calls, w.target.Log())
		}
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		w.runs("web", "v2")
	})
}

// What cannot be reached is asked again in the same pauses: neither all the time,
// nor in a year.
func TestClockJumpLeavesTheBackoffAsItIs(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Unreachable(time.Now(), time.Now().Add(10*time.Minute))
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		w.target.Forget()
		clock.jump(jump)
		later(5 * time.Minute)
		if calls := len(w.target.Calls()); calls < 4 || calls > 20 {
			t.Errorf("the target was asked %d times in five minutes", calls)
		}
		later(6 * time.Minute)
		w.runs("web", "v2")
		if q := w.record().Quarantine; len(q) != 0 {
			t.Errorf("quarantine is %v", q)
		}
	})
}

// A rollout's deadlines and its soak go by that clock, too: nobody is blamed for
// the time of day, and nobody waited for in vain.
func TestClockJumpInMidRolloutChangesNoVerdict(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		for _, after := range []time.Duration{10 * time.Second, 22 * time.Second} { // while it starts, and in its soak
			w.repo.shop(one("web", `"image":"v2 `+after.String()+`","health":"slow:20s"`))
			time.AfterFunc(after, func() { clock.jump(jump) })
			begun := time.Now()
			res := w.ends(reconcile.Applied)
			if took := time.Since(begun); took > 30*time.Second || res.Duration.D() < 25*time.Second || res.Duration.D() > took {
				t.Errorf("it took %s, and says that it took %s: want the 25 s that it needs", took, res.Duration)
			}
		}
		w.repo.shop(never("v3"))
		time.AfterFunc(10*time.Second, func() { clock.jump(jump) })
		begun := time.Now()
		w.ends(reconcile.RolledBack)
		if took := time.Since(begun); took < time.Minute || took > 2*time.Minute {
			t.Errorf("it failed after %s, want the minute that it has", took)
		}
	})
}

// The history is told in the order in which it happened.
func TestClockJumpLeavesTheHistoryInOrder(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		for _, image := range []string{"v1", "v2", "v3"} {
			w.repo.shop(healthy(image))
			w.ends(reconcile.Applied)
			clock.jump(jump)
		}
		history, err := w.agent.History(t.Context(), "shop", 10)
		w.must(err)
		if len(history) != 3 {
			t.Fatalf("the history has %d entries, want 3", len(history))
		}
		for i, e := range history {
			if want := commitName(2 - i); e.Revision.Commit != want || e.Duration < 0 {
				t.Errorf("entry %d is of %s and took %s, want %s", i, e.Revision.Commit, e.Duration, want)
			}
		}
		if rec := w.record(); rec.Past[0].Revision.Commit != commitName(1) {
			t.Errorf("the newest past set is %s", rec.Past[0].Revision.Commit)
		}
		w.act("rollback", reconcile.ActRequest{})
		w.runs("web", "v2")
	})
}

// A host without a clock of its own comes up in 1970: what was begun before is
// gone on with, and told, all the same.
func TestClockJumpDoesNotHideAResumedChange(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.cutShort(3 * time.Second)
		clock.jump(jump)
		w.restart(withClock(clock))
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

// A pause ends at the time that was said, by the clock on the wall.
func TestPauseUntilGoesByTheClockOnTheWall(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		clock := &wallClock{}
		w.restart(withClock(clock))
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.act("pause", reconcile.ActRequest{Reason: "lunch", Until: clock.now().Add(time.Hour)})
		w.repo.shop(healthy("v2"))

		clock.jump(-24 * time.Hour)
		later(2 * time.Hour)
		w.runs("web", "v1")
		if s := w.status(); s.Status != reconcile.WPaused {
			t.Errorf("the app is %s a day before the time that was said", s.Status)
		}
		clock.jump(24 * time.Hour)
		later(11 * time.Minute) // nobody tells when a clock is set
		w.runs("web", "v2")
	})
}

// It ends then, and not with the next look that happens to come.
func TestPauseEndsOnTime(t *testing.T) {
	for _, d := range []time.Duration{2 * time.Minute, time.Hour} {
		within(t, func(t *testing.T, w *world) {
			w.repo.shop(healthy("v1"))
			stop := w.background()
			defer stop()
			later(time.Minute)
			w.act("pause", reconcile.ActRequest{Reason: "lunch", Until: time.Now().Add(d)})
			w.target.Vanish(key("web"))
			later(d - time.Second)
			if left := w.target.Instances(key("web")); len(left) != 0 {
				t.Errorf("it was repaired in its pause: %v", left)
			}
			later(20 * time.Second)
			w.runs("web", "v1")
		})
	}
}

// A budget per hour is one after an hour, whatever year it was before.
func TestClockJumpDoesNotSpendTheBudgetForRestarts(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.merge(careful("restart", 1))
		w.ends(reconcile.Applied)
		for range 2 {
			w.target.Break(key("web"), "its disk is full")
			w.ends(reconcile.Degraded)
		}
		if n := w.target.Count("stop"); n != 1 {
			t.Fatalf("it was restarted %d times, want its budget of 1", n)
		}
		clock.jump(jump)
		w.restart(withClock(clock))
		for range 3 {
			w.target.Break(key("web"), "its disk is full")
			w.ends(reconcile.Degraded)
		}
		if n := w.target.Count("stop"); n != 2 {
			t.Errorf("it was restarted %d times, want once more after the jump", n)
		}
	})
}

// Repairs that do not converge are found out, and tried again when a person says so,
// in any year.
func TestClockJumpDoesNotHideWhatDoesNotConverge(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		fight := func(outcome reconcile.Outcome) {
			w.target.Rename(key("web"), "somebody-elses-name")
			w.ends(outcome)
		}
		for range 3 {
			fight(reconcile.Applied)
		}
		fight(reconcile.Degraded)
		clock.jump(jump)
		fight(reconcile.Degraded)
		w.act("retry", reconcile.ActRequest{})
		for range 2 {
			fight(reconcile.Applied)
		}
		fight(reconcile.Degraded)
	})
}

// Drift lasts no less than no time, and waits no longer than its grace, in any year.
func TestClockJumpDoesNotKeepDrift(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		grace := config.Duration(10 * time.Minute)
		w.shopWith(config.Drift{Grace: &grace}, healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.look()
		clock.jump(jump)
		later(20 * time.Minute)
		w.runs("web", "v1")
		w.tells("opened shop#1 container/web/1 missing", "resolved shop#1 repaired by syncd")
		all, err := w.store.Since(0, 0)
		w.must(err)
		for _, e := range all {
			if e.Duration < 0 {
				t.Errorf("%s %s took %s", e.Kind, e.Outcome, e.Duration)
			}
		}
	})
}

// Trouble with the repository is no matter of the time of day either.
func TestClockJumpWhileTheRepositoryIsDown(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		clock.jump(jump)
		later(5 * time.Minute)
		w.repo.shop(healthy("v2"))
		w.repo.fail(nil)
		later(3 * time.Minute) // by now there is a poll every two minutes
		w.runs("web", "v2")
	})
}
