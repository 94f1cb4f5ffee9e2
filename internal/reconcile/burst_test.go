package reconcile_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// stirring runs the agent on an engine that tells what happens.
func stirring(t *testing.T, test func(w *world, engine *telling)) {
	t.Helper()
	within(t, func(_ *testing.T, w *world) {
		engine := &telling{world: w, events: make(chan string)}
		w.restart(func(o *reconcile.Options) { o.Engine, o.Resync = engine, 1000*time.Hour })
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.target.Forget()
		test(w, engine)
	})
}

func TestBurstOfEventsIsOneLook(t *testing.T) {
	stirring(t, func(w *world, engine *telling) {
		for range 1000 {
			engine.events <- "shop"
			later(100 * time.Microsecond)
		}
		later(time.Second)
		if n := w.target.Count("observe"); n != 1 {
			t.Errorf("a thousand events were %d looks", n)
		}
	})
}

// Something that never comes to rest is looked at all the same.
func TestEndlessEventsHideNoDrift(t *testing.T) {
	stirring(t, func(w *world, engine *telling) {
		for i := range 1000 {
			if i == 500 {
				w.target.Vanish(key("web"))
			}
			engine.events <- "shop"
			later(time.Millisecond)
		}
		w.runs("web", "v1")
		if n := w.target.Count("observe"); n > 10 {
			t.Errorf("in a second there were %d looks", n)
		}
	})
}

func TestDriftIsSeenWithinASecondOfItsEvent(t *testing.T) {
	stirring(t, func(w *world, engine *telling) {
		w.target.Vanish(key("web"))
		engine.events <- "shop"
		later(time.Second)
		w.tells("opened shop#1 container/web/1 missing", "resolved shop#1 repaired by syncd")
	})
}

// After events were lost, every app is looked at.
func TestLostEventsAreMadeUpForByALookAtEveryApp(t *testing.T) {
	stirring(t, func(w *world, engine *telling) {
		w.target.Vanish(key("web"))
		later(time.Hour)
		w.tells()
		engine.events <- ""
		later(time.Second)
		w.runs("web", "v1")
	})
}
