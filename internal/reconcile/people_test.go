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

func TestManualRollbackHoldsUntilTheInputChanges(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		res := w.act("rollback", reconcile.ActRequest{})
		if res.Result.Outcome != reconcile.RolledBack {
			t.Fatalf("the rollback ended %s (%s)", res.Result.Outcome, res.Result.Reason)
		}
		w.runs("web", "v1")
		w.ends(reconcile.Held)
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		if p := previews[0]; p.Outcome != reconcile.Held || !p.Plan.Empty() {
			t.Errorf("the plan is %s, and does %s: want held, and nothing", p.Outcome, p.Plan)
		}
		w.restart()
		w.ends(reconcile.Held)
		if s := w.status(); s.Status != reconcile.WHeld {
			t.Errorf("the app is %s, want Held", s.Status)
		}
		w.repo.shop(healthy("v3"))
		w.ends(reconcile.Applied)
		w.runs("web", "v3")
	})
}

func TestResumeEndsAManualRollback(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		w.act("rollback", reconcile.ActRequest{})
		if res := w.act("resume", reconcile.ActRequest{}); res.Result.Outcome != reconcile.Applied {
			t.Errorf("the pass after resume ended %s, want applied", res.Result.Outcome)
		}
		w.runs("web", "v2")
	})
}

func TestPauseLeavesTheAppAlone(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.act("pause", reconcile.ActRequest{Reason: "debugging", Until: time.Now().Add(time.Hour)})
		w.repo.shop(healthy("v2"))
		w.target.Vanish(key("web"))
		res := w.ends(reconcile.Paused)
		if !strings.Contains(res.Reason, "ann") || !strings.Contains(res.Reason, "debugging") {
			t.Errorf("the reason is %q, want who and why", res.Reason)
		}
		later(2 * time.Hour)
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	})
}

func TestVanishedAppNeedsConsentBoundToThePlan(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		w.runs("web", "v1")
		digest := w.status().Plan
		if _, err := w.agent.Act(t.Context(), "approve", reconcile.ActRequest{App: "shop", Who: "ann", Plan: "0000"}, nil); err == nil {
			t.Error("consent to another plan was taken")
		}
		w.runs("web", "v1")
		if res := w.act("approve", reconcile.ActRequest{Plan: digest}); res.Result.Outcome != reconcile.Applied {
			t.Fatalf("the pass after consent ended %s (%s)", res.Result.Outcome, res.Result.Reason)
		}
		if left := w.target.Instances(key("web")); len(left) != 0 {
			t.Errorf("slot web holds %v, want nothing", left)
		}
	})
}

// A consent is good for one plan that was printed, once: the same words printed
// later ask again.
func TestConsentIsSpentOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		for range 2 {
			w.repo.shop(healthy("v1"))
			w.ends(reconcile.Applied)
			w.repo.merge(map[string]appFiles{})
			w.ends(reconcile.Blocked)
			w.runs("web", "v1")
			w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
			if left := w.target.Instances(key("web")); len(left) != 0 {
				t.Errorf("slot web holds %v, want nothing", left)
			}
		}
	})
}

// What `syncd plan` prints can be approved as it stands, before any pass.
func TestPrintedPlanOfAVanishedAppCanBeApproved(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		if p := previews[0]; !p.Differs() || len(p.Plan.Consents) == 0 {
			t.Fatalf("the plan says nothing of what waits for consent: %+v", p)
		}
		res := w.act("approve", reconcile.ActRequest{Plan: previews[0].Digest})
		if res.Result.Outcome != reconcile.Applied {
			t.Errorf("the pass after consent ended %s (%s)", res.Result.Outcome, res.Result.Reason)
		}
	})
}

// An app that is gone with consent troubles nobody any more.
func TestRemovedAppIsNoLongerListed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		all, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if len(all.Apps) != 0 {
			t.Errorf("status lists %+v", all.Apps)
		}
		if s := w.status(); s.Status != reconcile.Synced || s.Plan != "" || len(s.Consents) != 0 {
			t.Errorf("the app is %s and asks for %v, want Synced and nothing", s.Status, s.Consents)
		}
	})
}

// What is left of a first deploy that failed is not forgotten with its files.
func TestHaltedFirstDeployThatVanishesAsksForConsent(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(never("v1"))
		w.ends(reconcile.Halted)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		if left := w.target.Instances(key("web")); len(left) != 0 {
			t.Errorf("slot web holds %v, want nothing", left)
		}
	})
}

// A job ran for data that is gone: for new data it runs again.
func TestRemovedAppForgetsItsJobs(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(release(healthy("v1"), migration("v1", ""))...)
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		if done := w.record().Done; len(done) != 0 {
			t.Errorf("done is %v, want nothing", done)
		}
	})
}

func TestRenamedAppDoesNotLeaveItsVolumesBehind(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(map[string]appFiles{"old": {objects: []resource.Object{healthy("v1")}}})
		if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); err != nil {
			t.Fatal(err)
		}
		w.repo.dirs = map[string]string{"shop": "old"}
		w.repo.shop(healthy("v1"))
		if res := w.ends(reconcile.Blocked); !strings.Contains(res.Reason, "empty volumes") {
			t.Errorf("the reason is %q, want the volumes named", res.Reason)
		}
	})
}

func TestRenamedDirectoryDoesNotLeaveItsVolumesBehind(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		data := resource.Object{Key: resource.Key{Kind: "volume", Name: "data"}, Spec: []byte("{}")}
		w.repo.merge(map[string]appFiles{"old": {objects: []resource.Object{healthy("v1"), data}}})
		if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); err != nil {
			t.Fatal(err)
		}
		w.repo.shop(healthy("v2"), data)
		if res := w.ends(reconcile.Blocked); !strings.Contains(res.Reason, "empty volumes") || !strings.Contains(res.Hint, "name: old") {
			t.Errorf("the reason is %q, the hint %q: want the volumes and the way out named", res.Reason, res.Hint)
		}
		w.repo.merge(map[string]appFiles{"old": {objects: []resource.Object{healthy("v1"), data}}, "shop": {objects: []resource.Object{healthy("v1"), data}}})
		w.ends(reconcile.Applied) // beside it, and not in its place
	})
}

func TestReadOnlyAgentLeavesNoTrace(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.restart(func(o *reconcile.Options) { o.ReadOnly = true })
		w.ends(reconcile.Pending)
		w.ends(reconcile.Pending)
		if n := w.target.Changes(); n != 0 {
			t.Errorf("a read-only agent changed the target %d times:\n%s", n, w.target.Log())
		}
		if rec := w.record(); rec.Attempt != nil || rec.Last.Outcome != "" {
			t.Errorf("a read-only agent wrote %+v", rec)
		}
	})
}

func TestAutoFalseWaitsForAPerson(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		app := appFiles{objects: []resource.Object{healthy("v1")}}
		app.config.Sync.Auto = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		stop := w.background()
		later(time.Minute)
		if len(w.target.Instances(key("web"))) != 0 {
			t.Error("it was put though sync.auto is false")
		}
		stop()
		w.ends(reconcile.Applied)
	})
}

func TestSelfHealFalseOnlyReports(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		app := appFiles{objects: []resource.Object{healthy("v1")}}
		app.config.Sync.SelfHeal = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		w.ends(reconcile.Applied)
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.agent.Look()
		later(time.Minute)
		if len(w.target.Instances(key("web"))) != 0 {
			t.Error("drift was repaired though sync.selfHeal is false")
		}
		if s := w.status(); s.Status != reconcile.OutOfSync || len(s.Drift) != 1 {
			t.Errorf("the app is %s with drift %v, want OutOfSync and the missing container", s.Status, s.Drift)
		}
	})
}

func TestRepairThatDoesNotConvergeIsReported(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		for range 3 {
			w.target.Rename(key("web"), "somebody-elses-name")
			w.ends(reconcile.Applied)
		}
		w.target.Rename(key("web"), "somebody-elses-name")
		res := w.ends(reconcile.Degraded)
		if !strings.Contains(res.Reason, "does not converge") || !strings.Contains(res.Reason, "name") {
			t.Errorf("the reason is %q, want it to say that the name does not converge", res.Reason)
		}
	})
}

// A halt leaves nobody knows what behind: where its revision is reverted, what was good
// is put as any change is, whatever is said of drift, and the halt is over.
func TestRevertOfWhatHaltedIsPutAndEndsTheHalt(t *testing.T) {
	no := false
	for name, heal := range map[string]*bool{"drift is repaired": nil, "drift is only reported": &no} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				grace := config.Duration(time.Hour)
				good, bad := appFiles{objects: []resource.Object{healthy("v1")}}, appFiles{objects: []resource.Object{never("v2")}}
				bad.objects[0].Policy.FailureAction, bad.objects[0].Policy.Order = resource.ActionPause, resource.StopFirst
				for _, a := range []*appFiles{&good, &bad} {
					a.config.Sync.SelfHeal, a.config.Drift.Grace = heal, &grace
				}
				w.repo.merge(map[string]appFiles{"shop": good})
				w.ends(reconcile.Applied)
				w.repo.merge(map[string]appFiles{"shop": bad})
				defer w.background()()
				later(10 * time.Minute)
				if s := w.status(); s.Status != reconcile.WHalted {
					t.Fatalf("it is %s", s.Status)
				}
				w.repo.merge(map[string]appFiles{"shop": good})
				later(10 * time.Minute)
				w.runs("web", "v1")
				if n := len(w.target.Instances(key("web"))); n != 1 {
					t.Errorf("slot web holds %d instances, want what failed gone", n)
				}
				if s := w.status(); s.Status != reconcile.Synced {
					t.Errorf("it is %s: %s", s.Status, s.Reason)
				}
				w.tells() // what failed was never drift
				if last := w.lines("sync"); len(last) == 0 || last[len(last)-1] != "applied" {
					t.Errorf("it is told as %q", last)
				}
			})
		})
	}
}

// Also where nothing was left to be put: its end is told.
func TestRevertOfWhatHaltedEndsTheHaltAlsoWhereNothingDiffers(t *testing.T) {
	no := false
	within(t, func(t *testing.T, w *world) {
		db := func(image string) resource.Object { return one("db", `"image":"`+image+`"`) }
		shop := func(objects ...resource.Object) {
			w.repo.merge(map[string]appFiles{"shop": {objects: objects, config: config.App{Rollback: config.Rollback{Auto: &no}}}})
		}
		shop(db("v1"))
		w.ends(reconcile.Applied)
		shop(db("v1"), one("web", `"image":"v2"`))
		refused := func(c applytest.Call) error {
			if c.Verb == "put" {
				return fault.As(fault.Rejected, errors.New("no"))
			}
			return nil
		}
		w.target.OnCall(refused)
		w.ends(reconcile.Halted)
		w.target.OnCall(nil)
		shop(db("v1"))
		w.ends(reconcile.Applied)
		w.ends(reconcile.Unchanged)
		if rec := w.record(); rec.Halted != "" {
			t.Errorf("it is halted still: %s", rec.Halted)
		}
	})
}

// A person's rollback that fails halts the app: nothing is put by itself, neither what
// they asked for nor what they wanted to be rid of, until a person or a commit says so.
func TestManualRollbackThatFailsStaysHalted(t *testing.T) {
	for name, end := range map[string]struct {
		do    func(w *world)
		image string
	}{
		"a commit":       {func(w *world) { w.repo.shop(healthy("v3")); w.ends(reconcile.Applied) }, "v3"},
		"retry":          {func(w *world) { w.act("retry", reconcile.ActRequest{}) }, "v2"},
		"resume":         {func(w *world) { w.act("resume", reconcile.ActRequest{}) }, "v2"},
		"rollback again": {func(w *world) { w.act("rollback", reconcile.ActRequest{}) }, "v1"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				w.repo.shop(healthy("v2"))
				w.ends(reconcile.Applied)
				w.target.OnCall(func(c applytest.Call) error {
					if c.Verb == "put" {
						return fault.As(fault.Rejected, errors.New("no such image"))
					}
					return nil
				})
				w.act("rollback", reconcile.ActRequest{})
				w.target.OnCall(nil)
				w.target.Kill(key("web"))
				for range 3 {
					if res := w.ends(reconcile.Halted); !strings.Contains(res.Reason, "the rollback failed") || !strings.Contains(res.Hint, "syncd retry shop") {
						t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
					}
				}
				if i := w.target.Instances(key("web")); len(i) != 1 || i[0].Running {
					t.Errorf("slot web holds %v, want it left alone", i)
				}
				end.do(w)
				w.runs("web", end.image)
				if rec := w.record(); rec.Halted != "" {
					t.Errorf("it is halted still: %s", rec.Halted)
				}
			})
		})
	}
}
