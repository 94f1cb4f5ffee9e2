package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// torn leaves nothing running in the database's slot: the engine went away after
// v1 was stopped, and before v2 was put.
func (w *world) torn() {
	w.t.Helper()
	w.repo.shop(alone("v1"))
	w.ends(reconcile.Applied)
	w.repo.shop(alone("v2"))
	w.target.OnCall(func(c applytest.Call) error {
		if c.Verb == "stop" { // which is the last that it does
			w.target.Unreachable(time.Now(), time.Now().Add(10*time.Minute))
		}
		return nil
	})
	w.ends(reconcile.Unreachable)
	later(10 * time.Minute)
	w.target.OnCall(nil)
	for _, i := range w.target.Instances(key("db")) {
		if i.Running {
			w.t.Fatalf("slot db holds %v, want nothing that runs", i)
		}
	}
}

// wrong is a database that the target refuses.
func wrong() resource.Object {
	return one("db", `"image":"v3","invalid":"no such device"`)
}

// Half a change helps nobody: while what is wanted now cannot be put, the attempt
// that was cut short goes on.
func TestAttemptThatWasCutShortIsFinishedBehindWhatCannotBePut(t *testing.T) {
	waits := appFiles{objects: []resource.Object{alone("v3")}}
	waits.config.DependsOn = []string{"blog"}
	for name, c := range map[string]struct {
		next    appFiles
		outcome reconcile.Outcome
		prepare func(w *world)
	}{
		"broken":      {appFiles{broken: "compose.yaml:3: not a mapping"}, reconcile.Rejected, nil},
		"rejected":    {appFiles{objects: []resource.Object{wrong()}}, reconcile.Rejected, nil},
		"blocked":     {waits, reconcile.Blocked, nil},
		"unreachable": {appFiles{objects: []resource.Object{alone("v3")}}, reconcile.Unreachable, func(w *world) { w.target.ImageAbsent("v3"); w.target.RegistryDown(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.torn()
				if c.prepare != nil {
					c.prepare(w)
				}
				w.repo.merge(map[string]appFiles{"shop": c.next})
				if res := w.ends(c.outcome); !strings.Contains(res.Reason, "is finished") {
					t.Errorf("the reason is %q", res.Reason)
				}
				w.runs("db", "v2")
				if rec := w.record(); rec.Attempt != nil || rec.Good.Revision.Commit != commitName(1) {
					t.Errorf("good is %s, the attempt %+v: want what was under way to be good", rec.Good.Revision.Commit, rec.Attempt)
				}
				if broken := w.target.Broken(); len(broken) > 0 {
					t.Error(broken)
				}
			})
		})
	}
}

// A held revision holds the good set: what was under way instead of it is undone.
func TestAttemptThatWasCutShortIsUndoneBehindWhatIsHeld(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		sick := one("db", `"image":"v0","health":"never"`)
		w.repo.shop(one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		w.repo.shop(sick)
		w.ends(reconcile.RolledBack)
		w.repo.shop(one("db", `"image":"v2"`))
		w.crashAfter("put")
		w.restart()
		w.repo.shop(sick)
		if res := w.ends(reconcile.Held); !strings.Contains(res.Reason, "is undone") {
			t.Errorf("the reason is %q", res.Reason)
		}
		w.runs("db", "v1")
		if rec := w.record(); rec.Attempt != nil || len(rec.Quarantine) != 1 {
			t.Errorf("the attempt is %+v, quarantine %v: nothing was judged", rec.Attempt, rec.Quarantine)
		}
		w.ends(reconcile.Held)
	})
}

// underway lets a change with a migration be under way, its web service not
// healthy yet, as an invalid one comes.
func underway(w *world, web resource.Object, app config.App) {
	w.repo.merge(map[string]appFiles{"shop": {objects: release(healthy("v1"), migration("v1", "")), config: app}})
	w.ends(reconcile.Applied)
	w.repo.merge(map[string]appFiles{"shop": {objects: release(web, migration("v2", "")), config: app}})
	time.AfterFunc(20*time.Second, func() {
		typo := one("web", `"image":"v3","invalid":"no such image"`)
		w.repo.merge(map[string]appFiles{"shop": {objects: release(typo, migration("v2", "")), config: app}})
	})
}

// An invalid revision behind a migration that has run puts no old code back.
func TestRejectedBehindAMigratedAttemptPutsNothingBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		underway(w, one("web", `"image":"v2","health":"slow:50s"`), config.App{})
		defer w.background()()
		later(3 * time.Minute)
		w.runs("web", "v2")
		if rec := w.record(); rec.Good.Revision.Commit != commitName(1) || len(rec.Quarantine) != 1 || rec.Quarantine[0].Revision.Commit != commitName(2) {
			t.Errorf("good is %s, quarantine %+v: want the migrated one good, and the invalid one out", rec.Good.Revision.Commit, rec.Quarantine)
		}
	})
}

// Where what was under way fails as well, the rules for what failed hold.
func TestRejectedBehindAFailingAttemptFollowsItsRules(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		app config.App
		why string
	}{
		"a migration ran":          {config.App{}, "job migrate ran"},
		"nothing is put back here": {config.App{Rollback: config.Rollback{Auto: &no}}, "rollback.auto is false"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				underway(w, never("v2"), c.app)
				stop := w.background()
				later(3 * time.Minute)
				stop()
				if rec := w.record(); !strings.Contains(rec.Halted, c.why) {
					t.Errorf("halted is %q, want %s", rec.Halted, c.why)
				}
				for _, i := range w.target.Instances(key("web")) {
					if contains(i.Spec, "v1") == i.Running {
						continue
					}
					t.Errorf("slot web holds %v: want the old one running, and the failed one stopped", w.target.Instances(key("web")))
				}
			})
		})
	}
}

// A set that was put in part, and that the target does not take any more, has
// failed as any other.
func TestAttemptThatIsRejectedWhenItIsResumedIsRolledBack(t *testing.T) {
	no := false
	for _, auto := range []*bool{nil, &no} {
		within(t, func(t *testing.T, w *world) {
			app := config.App{Rollback: config.Rollback{Auto: auto}}
			for _, image := range []string{"v1", "v2"} {
				w.repo.merge(map[string]appFiles{"shop": {objects: service("web", 2, `"image":"`+image+`"`), config: app}})
				if image == "v1" {
					w.ends(reconcile.Applied)
				}
			}
			w.crashAfter("put")
			w.restart()
			refuse := func(c applytest.Call) error {
				if c.Verb == "validate" {
					return fault.As(fault.Rejected, errors.New("the device is gone"))
				}
				return nil
			}
			w.target.OnCall(refuse)
			if auto != nil {
				w.ends(reconcile.Halted)
				return
			}
			w.ends(reconcile.RolledBack)
			w.runs("web", "v1")
			w.target.OnCall(nil)
			w.ends(reconcile.Held)
		})
	}
}

// What is wanted has to wait: what is good is looked after meanwhile.
func TestGoodSetIsGuardedBehindWhatHasToWait(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(w *world)
		outcome reconcile.Outcome
	}{
		"the registry is down": {func(w *world) { w.target.ImageAbsent("v2"); w.target.RegistryDown(true) }, reconcile.Unreachable},
		"somebody else is in its place": {func(w *world) {
			_, err := w.target.Plant(one("new", `"image":"x"`))
			w.must(err)
		}, reconcile.Blocked},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				c.prepare(w)
				w.repo.shop(healthy("v2"), one("new", `"image":"v2"`))
				w.ends(c.outcome)
				w.target.Vanish(key("web"))
				if res := w.ends(c.outcome); !strings.Contains(res.Reason, "repaired drift") {
					t.Errorf("the reason is %q", res.Reason)
				}
				w.runs("web", "v1")
				if rec := w.record(); rec.Attempt != nil {
					t.Errorf("the attempt is %+v: nothing was begun", rec.Attempt)
				}
			})
		})
	}
}

// What a person asked for is finished; what came after it waits to be asked for.
func TestAttemptIsFinishedWhereNothingIsDoneUnasked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		commit := func(image string) {
			app := appFiles{objects: []resource.Object{healthy(image)}}
			app.config.Sync.Auto = &no
			w.repo.merge(map[string]appFiles{"shop": app})
		}
		commit("v1")
		w.ends(reconcile.Applied)
		commit("v2")
		w.cutShort(3 * time.Second)
		commit("v3")
		defer w.background()()
		later(time.Minute)
		w.runs("web", "v2")
		if rec := w.record(); rec.Attempt != nil || rec.Last.Outcome != string(reconcile.Pending) {
			t.Errorf("the attempt is %+v, the last pass ended %s", rec.Attempt, rec.Last.Outcome)
		}
	})
}
