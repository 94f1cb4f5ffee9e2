package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// refuses fails the test unless a word is refused, in words that say why, with a
// hint that says what else to do, and without a trace in the history.
func (w *world) refuses(verb string, req reconcile.ActRequest, text, hint string) {
	w.t.Helper()
	if req.App == "" {
		req.App = "shop"
	}
	before, err := w.store.History("shop", 0)
	w.must(err)
	_, err = w.agent.Act(w.t.Context(), verb, req, nil)
	if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), text) || !strings.Contains(fault.Advice(err), hint) {
		w.t.Errorf("%s %+v: %v (%v), hint %q; want it rejected with %q, hint %q", verb, req, err, fault.Of(err), fault.Advice(err), text, hint)
	}
	after, err := w.store.History("shop", 0)
	w.must(err)
	if len(after) != len(before) {
		w.t.Errorf("%s, which was refused, is in the history: %+v", verb, after[0])
	}
}

func TestWordsThatMakeNoSenseAreRefusedWithAHint(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), volume("data"))
		w.ends(reconcile.Applied)
		w.refuses("rollback", reconcile.ActRequest{}, "no earlier good revision", "rollback.keep")
		w.refuses("resume", reconcile.ActRequest{}, "neither paused nor held", "syncd retry shop")
		w.refuses("approve", reconcile.ActRequest{Plan: "0123"}, `no plan "0123"`, "nothing waits for consent; see: syncd plan shop")
		w.refuses("pause", reconcile.ActRequest{Until: time.Now().Add(-time.Hour)}, "is over already", "a time to come")
		w.refuses("dance", reconcile.ActRequest{}, `no verb "dance"`, "")
		w.refuses("pause", reconcile.ActRequest{App: "shpo"}, "shpo", "shop")

		w.repo.shop(healthy("v2"), volume("data"))
		w.ends(reconcile.Applied)
		w.refuses("rollback", reconcile.ActRequest{Revision: "ffff"}, `no good revision "ffff"`, "kept are: "+commitName(0)[:10])
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Blocked)
		w.refuses("approve", reconcile.ActRequest{Plan: "0123"}, `no plan "0123"`, "plan "+w.status().Plan+" does: remove volume/data")
		w.runs("web", "v2")
	})
}

func TestRollbackGoesToTheNamedRevision(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		for _, image := range []string{"v1", "v2", "v3"} {
			w.repo.shop(healthy(image))
			w.ends(reconcile.Applied)
		}
		if res := w.act("rollback", reconcile.ActRequest{Revision: commitName(0)}); res.Result.Outcome != reconcile.RolledBack {
			t.Fatalf("it ended %s (%s)", res.Result.Outcome, res.Result.Reason)
		}
		w.runs("web", "v1")
		w.act("rollback", reconcile.ActRequest{Revision: commitName(1)})
		w.runs("web", "v2")
		w.ends(reconcile.Held)
		w.act("resume", reconcile.ActRequest{})
		w.runs("web", "v3")
	})
}

// A host whose Git server is down can still be taken back, and left alone; what
// needs to know what is wanted cannot be done.
func TestWordsThatNeedNoGit(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(func(o *reconcile.Options) { o.Engine = &neighbours{world: w} })
		for _, image := range []string{"v1", "v2"} {
			w.repo.shop(healthy(image))
			w.ends(reconcile.Applied)
		}
		w.repo.fail(fault.As(fault.Unreachable, errors.New("no route")))
		w.restart(func(o *reconcile.Options) { o.Engine = &neighbours{world: w} })
		for _, verb := range []string{"approve", "retry", "resume", "adopt"} {
			if _, err := w.agent.Act(t.Context(), verb, reconcile.ActRequest{App: "shop"}, nil); fault.Of(err) != fault.Unreachable {
				t.Errorf("%s without Git: %v", verb, err)
			}
		}
		w.act("rollback", reconcile.ActRequest{})
		w.runs("web", "v1")
		if len(w.record().Past) == 0 {
			t.Error("what was rolled back from is not kept")
		}
		w.act("pause", reconcile.ActRequest{Reason: "until Git is back"})
		if s := w.status(); s.Status != reconcile.WPaused {
			t.Errorf("the app is %s, want Paused", s.Status)
		}
		w.repo.fail(nil)
		w.ends(reconcile.Paused)
		w.act("resume", reconcile.ActRequest{}) // of the pause and of the rollback
		w.runs("web", "v2")
	})
}

func TestReadOnlyAgentTakesNoWord(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.restart(readOnly)
		for _, verb := range []string{"approve", "rollback", "retry", "pause", "resume", "adopt", "release"} {
			_, err := w.agent.Act(t.Context(), verb, reconcile.ActRequest{App: "shop", Confirm: true}, nil)
			if fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "--read-only") {
				t.Errorf("%s: %v, hint %q", verb, err, fault.Advice(err))
			}
		}
	})
}

// What says that nothing is put back by itself leaves what failed in place, and
// asks.
func TestChangesThatAreNotRolledBackByThemselves(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		change func(*appFiles)
		reason string
	}{
		"rollback.auto":  {func(a *appFiles) { a.config.Rollback.Auto = &no }, "rollback.auto is false"},
		"failure_action": {func(a *appFiles) { a.objects[0].Policy.FailureAction = resource.ActionPause }, "failure_action is pause"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				bad := appFiles{objects: []resource.Object{never("v2")}}
				c.change(&bad)
				w.repo.merge(map[string]appFiles{"shop": bad})
				if res := w.ends(reconcile.Halted); !strings.Contains(res.Reason, c.reason) || !strings.Contains(res.Hint, "syncd retry shop") {
					t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
				}
				if len(w.target.Instances(key("web"))) != 2 {
					t.Errorf("slot web holds %v, want the old one and what failed", w.target.Instances(key("web")))
				}
				w.target.Forget()
				w.ends(reconcile.Halted)
				if n := w.target.Changes(); n != 0 {
					t.Errorf("the target was changed %d times while a person is asked", n)
				}
				w.repo.shop(healthy("v3"))
				w.ends(reconcile.Applied)
				w.runs("web", "v3")
			})
		})
	}
}
