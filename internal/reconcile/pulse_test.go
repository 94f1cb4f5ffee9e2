package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// beating runs a test with an agent whose loops give signs of life.
func beating(t *testing.T, test func(t *testing.T, w *world, heart *pulse.Heart)) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		heart := &pulse.Heart{}
		w.restart(func(o *reconcile.Options) { o.Heart = heart })
		test(t, w, heart)
	})
}

func TestALoopThatHangsForLongIsNamed(t *testing.T) {
	beating(t, func(t *testing.T, w *world, heart *pulse.Heart) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.target.OnCall(func(applytest.Call) error {
			time.Sleep(3 * time.Hour) //nolint:forbidigo // the bubble's clock
			return errors.New("at last")
		})
		later(2 * time.Hour)
		if c := heart.Loops(); c.OK || !strings.HasPrefix(c.Detail, "app shop gives no sign of life for 1h") {
			t.Errorf("a pass that hangs is %+v", c)
		}
		w.target.OnCall(nil)
		w.repo.onResolve(func() { time.Sleep(3 * time.Hour) }) //nolint:forbidigo // as above
		later(2 * time.Hour)
		if c := heart.Loops(); c.OK || !strings.HasPrefix(c.Detail, "the repository's loop gives no sign") {
			t.Errorf("a poll that hangs is %+v", c)
		}
		w.repo.onResolve(nil)
		later(3 * time.Hour)
		if c := heart.Loops(); !c.OK {
			t.Errorf("after it, it is %+v", c)
		}
	})
}

// Neither is hung who waits for long, as he was told to.
func TestALongRolloutIsAlive(t *testing.T) {
	beating(t, func(t *testing.T, w *world, heart *pulse.Heart) {
		d := config.Duration(10 * time.Hour)
		app := appFiles{objects: []resource.Object{one("web", `"image":"v1","health":"slow:4h"`)}}
		app.config.Rollout.Soak = &d
		app.objects[0].Policy.Ready = 6 * time.Hour
		w.repo.merge(map[string]appFiles{"shop": app})
		defer w.background()()
		for hour := range 12 {
			later(time.Hour)
			if c := heart.Loops(); !c.OK {
				t.Errorf("after %d hours: %+v", hour+1, c)
			}
		}
		w.runs("web", "v1")
	})
}

func TestPollsWithoutAnswerAreCounted(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		if s := w.agent.Sight(); s.Looked {
			t.Errorf("before the loop runs: %+v", s)
		}
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		if s := w.agent.Sight(); !s.Looked || s.Missed != 0 {
			t.Errorf("with an answer: %+v", s)
		}
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		later(30 * time.Minute)
		if s := w.agent.Sight(); s.Missed < 10 {
			t.Errorf("half an hour without one: %+v", s)
		}
		w.repo.fail(fault.As(fault.Rejected, errors.New("nobody signed it")))
		later(5 * time.Minute)
		if s := w.agent.Sight(); s.Missed != 0 {
			t.Errorf("what is refused was seen: %+v", s)
		}
	})
}

// Whoever sets the host's clock makes nobody well or unwell.
func TestClockJumpLeavesTheSignsOfLifeAsTheyAre(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		heart := &pulse.Heart{}
		w.restart(withClock(clock), func(o *reconcile.Options) { o.Heart = heart })
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Second)
		clock.jump(jump)
		later(time.Minute)
		if c := heart.Loops(); !c.OK {
			t.Errorf("after the jump: %+v", c)
		}
		w.target.OnCall(func(applytest.Call) error {
			time.Sleep(3 * time.Hour) //nolint:forbidigo // the bubble's clock
			return errors.New("at last")
		})
		later(90 * time.Minute)
		clock.jump(-jump)
		later(10 * time.Minute)
		if c := heart.Loops(); c.OK {
			t.Error("the jump hides who hangs")
		}
		w.target.OnCall(nil)
		later(5 * time.Hour)
	})
}

// An incident opens and closes as often as it would have, and has lasted for no less
// than nothing.
func TestClockJumpLeavesIncidentsAsTheyAre(t *testing.T) {
	clocked(t, func(t *testing.T, w *world, clock *wallClock, jump time.Duration) {
		off := false
		app := appFiles{objects: []resource.Object{healthy("v1")}}
		app.config.Sync.SelfHeal = &off
		w.repo.merge(map[string]appFiles{"shop": app})
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		w.target.Vanish(key("web"))
		for _, by := range []time.Duration{jump, jump, jump, -4 * jump} {
			w.agent.Look()
			later(time.Minute)
			clock.jump(by)
		}
		w.agent.Look()
		later(time.Minute)
		if rec := w.record(); rec.Incident == nil || rec.Incidents != 1 {
			t.Errorf("the incident is %+v, of %d", rec.Incident, rec.Incidents)
		}
		w.ends(reconcile.Applied) // a person has it repaired
		entries, err := w.store.Since(0, 100)
		w.must(err)
		told := map[string]int{}
		for _, e := range entries {
			if e.Kind == "drift" {
				told[e.Outcome]++
			}
			if e.Duration < 0 {
				t.Errorf("%s %s has lasted %s", e.Kind, e.Outcome, e.Duration)
			}
		}
		if told["opened"] != 1 || told["changed"] != 0 || told["resolved"] != 1 {
			t.Errorf("told %v", told)
		}
	})
}
