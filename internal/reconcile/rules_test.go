package reconcile_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

func decode(raw []byte, into any) error { return json.Unmarshal(raw, into) }

// healthy, never and dying are services called web.
func healthy(image string) resource.Object { return one("web", `"image":"`+image+`"`) }
func never(image string) resource.Object   { return one("web", `"health":"never","image":"`+image+`"`) }
func dying(image string) resource.Object   { return one("web", `"health":"dies:3s","image":"`+image+`"`) }

func TestFirstDeployThenNothing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.ends(reconcile.Unchanged)
		w.runs("web", "v1")
		if s := w.status(); s.Status != reconcile.Synced || s.Health != reconcile.Healthy {
			t.Errorf("the app is %s and %s, want Synced and Healthy", s.Status, s.Health)
		}
	})
}

func TestUnhealthyIsQuarantinedAndRolledBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		old := w.runs("web", "v1")
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		if got := w.runs("web", "v1"); got.Ref.ID != old.Ref.ID {
			t.Errorf("the old instance was replaced, want it left alone")
		}
		w.ends(reconcile.Held)
		if s := w.status(); s.Status != reconcile.WRolledBack {
			t.Errorf("the app is %s, want RolledBack", s.Status)
		}
	})
}

func TestHealthyThatDiesInItsSoakIsRolledBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(dying("v2"))
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
	})
}

func TestQuarantinedDigestStaysOut(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		w.restart()
		w.ends(reconcile.Held)
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{never("v2")}, config: config.App{Owner: "else"}}})
		w.ends(reconcile.Held) // other files, the same objects
		w.target.Vanish(key("web"))
		w.ends(reconcile.Held) // drift against the good set is repaired meanwhile
		w.runs("web", "v1")
		w.repo.shop(healthy("v3"))
		w.ends(reconcile.Applied)
	})
}

func TestRetryLiftsTheQuarantine(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"))
		w.ends(reconcile.RolledBack)
		if res := w.act("retry", reconcile.ActRequest{}); res.Result.Outcome != reconcile.RolledBack {
			t.Errorf("the retry ended %s, want it tried and rolled back again", res.Result.Outcome)
		}
	})
}

func TestNeverRollBackARollback(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		w.target.Break(key("db"), "its disk is gone")
		w.repo.shop(healthy("v1"), one("db", `"image":"v2","health":"never"`))
		res := w.ends(reconcile.Halted)
		if !strings.Contains(res.Reason, "rollback failed") {
			t.Errorf("the reason is %q, want it to say that the rollback failed", res.Reason)
		}
		w.ends(reconcile.Halted)
	})
}

// A way back that failed is followed by no other: whoever would wait is told so.
func TestNobodyWaitsWhereNobodyComes(t *testing.T) {
	single := func(health, image string) []resource.Object {
		o := one("web", `"health":"`+health+`","image":"`+image+`"`)
		o.Claims = []resource.Claim{{Kind: resource.ClaimWriter, Value: "data for web"}}
		return routed([]resource.Object{o}, `"mode":"tcp"`)
	}
	port := resource.Key{Kind: "route", Namespace: "web", Name: "8080"}
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(single("", "v1")...)
		w.ends(reconcile.Applied)
		w.repo.shop(single("never", "v2")...)
		held, puts := false, 0
		w.target.OnCall(func(c applytest.Call) error {
			held = held || w.target.Held(port)
			if c.Verb == "put" && c.Key == key("web") {
				if puts++; puts == 2 {
					return errors.New("its disk is gone")
				}
			}
			return nil
		})
		w.ends(reconcile.Halted)
		if !held || w.target.Held(port) {
			t.Errorf("held meanwhile: %t, in the end: %t", held, w.target.Held(port))
		}
	})
}

func TestFailedFirstDeployHaltsAndStaysForInspection(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(never("v1"))
		w.ends(reconcile.Halted)
		left := w.target.Instances(key("web"))
		if len(left) != 1 || left[0].Running {
			t.Errorf("slot web holds %v, want one stopped instance", left)
		}
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	})
}

func TestInSyncIsNotHealthy(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(never("v2"))
		w.crashAfter("put")
		w.restart()
		w.ends(reconcile.RolledBack) // v2 is in place by now, and is awaited all the same
		w.runs("web", "v1")
	})
}

func TestInnocentCommitsAreNotBlamed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		w.target.Break(key("db"), "out of memory")
		w.repo.shop(healthy("v2"), one("db", `"image":"v1"`))
		w.ends(reconcile.Degraded)
		w.runs("web", "v2")
		if rec := w.record(); len(rec.Quarantine) > 0 || rec.Good.Revision.Commit != commitName(0) {
			t.Errorf("quarantine %v, good %s: want nothing quarantined and the old one good", rec.Quarantine, rec.Good.Revision.Commit)
		}
		w.target.Break(key("db"), "")
		w.ends(reconcile.Unchanged)
		if rec := w.record(); rec.Good.Revision.Commit != commitName(1) {
			t.Errorf("good is %s, want the new one as soon as all is healthy", rec.Good.Revision.Commit)
		}
	})
}

func TestUnreachableQuarantinesNothing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.target.Unreachable(time.Now(), time.Now().Add(time.Hour))
		w.ends(reconcile.Unreachable)
		if rec := w.record(); len(rec.Quarantine) > 0 {
			t.Errorf("quarantine is %v, want nothing", rec.Quarantine)
		}
		time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's clock
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	})
}

func TestSourceUnreachableChangesNothing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.down = fault.As(fault.Unreachable, errors.New("no route"))
		if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); fault.Of(err) != fault.Unreachable {
			t.Errorf("the sync gave %v, want unreachable", err)
		}
		w.runs("web", "v1")
	})
}

func TestRejectedInputLeavesWhatRunsAlone(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{"shop": {broken: "compose.yaml:3: not a mapping"}})
		w.ends(reconcile.Rejected)
		w.target.Vanish(key("web"))
		w.ends(reconcile.Rejected)
		w.runs("web", "v1")
	})
}

func TestRejectedByTheTargetIsQuarantined(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(one("web", `"image":"v2","invalid":"no such device"`))
		w.ends(reconcile.Rejected)
		w.ends(reconcile.Held)
		if s := w.status(); s.Status != reconcile.WHeld {
			t.Errorf("the app is %s, want Held: nothing was rolled back", s.Status)
		}
	})
}

// What a change itself broke is said to be its own, also where its policy
// tolerates it.
func TestToleratedFailureIsNotTakenForAnOldOne(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		cache := one("cache", `"image":"v1","health":"never"`)
		cache.Policy.FailureAction = resource.ActionContinue
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v1"), cache)
		res := w.ends(reconcile.Degraded)
		if strings.Contains(res.Reason, "before") || !strings.Contains(res.Reason, "container/cache/1") || strings.Contains(res.Hint, "not to blame") {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
	})
}

// What failed stays for inspection and does not restart, also where there is a
// good revision that is not put back; what was there before is left alone.
func TestHaltStopsWhatFailed(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		web  resource.Object
		runs bool
	}{"of the change": {dying("v2"), false}, "from before": {healthy("v2"), true}} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				app := config.App{Rollback: config.Rollback{Auto: &no}}
				w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy("v1"), one("db", `"image":"d1"`)}, config: app}})
				w.ends(reconcile.Applied)
				if c.runs { // it is restarted while the change is watched
					time.AfterFunc(2*time.Second, func() { w.target.Bounce(key("db")) })
				}
				w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{c.web, one("db", `"image":"d1"`)}, config: app}})
				w.ends(reconcile.Halted)
				w.runs("db", "d1")
				left := w.target.Instances(key("web"))
				if len(left) == 0 || slices.ContainsFunc(left, func(i resource.Instance) bool { return contains(i.Spec, "v2") && i.Running != c.runs }) {
					t.Errorf("slot web holds %v, want the new one running: %t", left, c.runs)
				}
			})
		})
	}
}
