package reconcile_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
)

// An hour after the other, something drifts, and the agent is restarted at any time:
// each drift is told once, with its end, and nothing else is.
func TestEachOfManyDriftsIsToldOnceWhateverRestarts(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		chance := rand.New(rand.NewPCG(1, 2))
		names := []string{"web", "db", "log"}
		engine := &telling{world: w, events: make(chan string)}
		begin := func() (stop func()) {
			w.restart(func(o *reconcile.Options) { o.Engine = engine })
			return w.background()
		}
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`), one("log", `"image":"v1"`))
		stop := begin()
		later(time.Minute)
		const drifts = 150
		for range drifts {
			k := key(names[chance.IntN(len(names))])
			switch chance.IntN(3) {
			case 0:
				w.target.Vanish(k)
			case 1:
				w.target.Rename(k, "by-hand")
			default:
				w.target.Kill(k)
			}
			if chance.IntN(2) == 0 {
				engine.events <- "shop"
			}
			later(time.Duration(chance.IntN(200)) * time.Millisecond)
			if chance.IntN(3) == 0 {
				stop()
				stop = begin()
			}
			later(time.Hour) // repairs that are far between are no fight
		}
		stop()
		opened, resolved := 0, 0
		for _, line := range w.lines("drift") {
			switch {
			case strings.HasPrefix(line, "opened"):
				opened++
			case strings.HasPrefix(line, "resolved") && strings.HasSuffix(line, "repaired by syncd"):
				resolved++
			default:
				t.Errorf("it says %q", line)
			}
		}
		if opened != drifts || resolved != drifts {
			t.Errorf("of %d drifts, %d are opened and %d resolved", drifts, opened, resolved)
		}
		if rec := w.record(); rec.Incident != nil || rec.Incidents != drifts {
			t.Errorf("there were %d incidents, and open is %+v", rec.Incidents, rec.Incident)
		}
	})
}

// A thousand drifted objects in a second cost as many writes as one.
func TestDriftOfAllObjectsIsOneIncident(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		grace := config.Duration(time.Hour)
		w.shopWith(config.Drift{Grace: &grace}, service("web", 100, `"image":"v1"`)...)
		w.ends(reconcile.Applied)
		d := w.far(1000)
		stop := w.background()
		later(time.Minute)
		d.left.Store(1000)
		for _, k := range w.target.Slots() {
			w.target.Vanish(k)
		}
		w.look()
		if n := 1000 - d.left.Load(); n != 1 {
			t.Errorf("it took %d writes", n)
		}
		stop()
		if got := w.lines("drift"); len(got) != 1 {
			t.Errorf("it is told as %q", got)
		}
	})
}
