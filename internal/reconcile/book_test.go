package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// Whatever keeps what is wanted out, a repair meanwhile has happened: it is told once,
// and each time that it happens, while that the revision still waits is told by status.
func TestARepairMeanwhileIsInTheHistoryOnce(t *testing.T) {
	no := false
	pending := appFiles{objects: []resource.Object{healthy("v2")}, config: config.App{Sync: config.Sync{Auto: &no}}}
	needing := appFiles{objects: []resource.Object{healthy("v2")}}
	needing.config.DependsOn = []string{"blog"}
	heal := nightly
	heal.Heal = true
	fetched := appFiles{objects: []resource.Object{healthy("v2")}}
	for name, c := range map[string]struct {
		next    appFiles
		outcome reconcile.Outcome
		prepare func(w *world)
	}{
		"a window":    {appFiles{objects: []resource.Object{healthy("v2")}}, reconcile.Blocked, func(w *world) { w.restart(windowed(heal)) }},
		"a person":    {pending, reconcile.Pending, nil},
		"another app": {needing, reconcile.Blocked, nil},
		"a registry":  {fetched, reconcile.Unreachable, func(w *world) { w.target.ImageAbsent("v2"); w.target.RegistryDown(true) }},
		"nobody":      {appFiles{broken: "compose.yaml:3: not a mapping"}, reconcile.Rejected, nil},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				later(12 * time.Hour) // noon
				if c.prepare != nil {
					c.prepare(w)
				}
				w.repo.merge(map[string]appFiles{"shop": c.next})
				defer w.background()()
				later(10 * time.Minute)
				for n := 1; n <= 2; n++ {
					w.target.Vanish(key("web"))
					w.agent.Look()
					later(30 * time.Minute)
					w.runs("web", "v1")
					told := w.told("repair")
					if len(told) != n || told[0].Outcome != string(c.outcome) || !said(told[0].Reason).has("meanwhile: repaired drift: ") || len(told[0].Steps) == 0 || !told[0].Still {
						t.Errorf("after repair %d, the history says %+v", n, told)
					}
				}
				later(2 * time.Hour)
				if all, err := w.agent.History(t.Context(), "shop", 0); err != nil || len(all) > 8 { // drift opens and is resolved twice
					t.Errorf("the history has %d entries, %v: %+v", len(all), err, all)
				}
			})
		})
	}
}

// What is rejected is no other where an engine is down for a while.
func TestWhatStandsIsInTheHistoryOnceThroughAnOutage(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{"shop": {broken: "compose.yaml:3: not a mapping"}})
		defer w.background()()
		later(time.Minute)
		now := time.Now()
		w.target.Unreachable(now, now.Add(10*time.Minute))
		w.agent.Look()
		later(5 * time.Minute)
		if s := w.status(); !strings.Contains(s.Reason, "besides: ") {
			t.Errorf("it is %s: %s", s.Outcome, s.Reason)
		}
		later(time.Hour)
		if told := w.lines("sync"); len(told) != 3 || !strings.HasPrefix(told[2], string(reconcile.Rejected)) {
			t.Errorf("the history says %q", told)
		}
	})
}

// A repair that fails while a revision is held off is told once, however often it is tried.
func TestARepairThatFailsWhileARevisionIsHeldIsInTheHistoryOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		db := one("db", `"image":"d1"`)
		w.repo.shop(healthy("v1"), db)
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"), db)
		w.ends(reconcile.RolledBack)
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("db"))
		obey := w.refusing("db")
		w.agent.Look()
		later(time.Hour)
		if told := w.lines("repair"); len(told) != 1 || !strings.Contains(told[0], "repair failed") {
			t.Errorf("the history says %q", told)
		}
		obey()
		later(time.Hour)
		if told := w.lines("repair"); len(told) != 2 || !strings.Contains(told[1], "repaired drift") {
			t.Errorf("once it succeeds, the history says %q", told)
		}
	})
}

// While a revision is held off, what is found and left there is no news at each look.
func TestDriftThatIsLeftThereFillsNoHistory(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		app := func(o resource.Object) map[string]appFiles {
			return map[string]appFiles{"shop": {objects: []resource.Object{o}, config: config.App{Sync: config.Sync{SelfHeal: &no}}}}
		}
		w.repo.merge(app(healthy("v1")))
		w.ends(reconcile.Applied)
		w.repo.merge(app(never("v2")))
		w.ends(reconcile.RolledBack)
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("web"))
		later(3 * time.Hour)
		all, err := w.agent.History(t.Context(), "shop", 0)
		w.must(err)
		if n := len(w.target.Instances(key("web"))); n != 0 || len(all) != 3 || all[0].Outcome != "opened" {
			t.Errorf("there are %d instances, and the history says %+v", n, all)
		}
	})
}

// What was repaired beside a consent that is missing is told each time, and behind a
// window, too.
func TestARepairBesideAConsentIsInTheHistory(t *testing.T) {
	heal := nightly
	heal.Heal = true
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), volume("old"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Blocked)
		later(12 * time.Hour) // noon
		for n := 1; n <= 4; n++ {
			if n == 3 {
				w.restart(windowed(heal))
				w.repo.shop(healthy("v3"))
			}
			w.target.Vanish(key("web"))
			res := w.ends(reconcile.Blocked)
			w.ends(reconcile.Blocked)
			if told := w.told("repair"); len(told) != n || !said(told[0].Reason).has("repaired drift: container/web/1 missing") {
				t.Errorf("after %q, the history says %+v", res.Reason, told)
			}
			later(10 * time.Minute)
		}
	})
}
