package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

func volume(name string) resource.Object {
	return resource.Object{Key: resource.Key{Kind: "volume", Name: name}, Spec: []byte("{}")}
}

// A change went through, and what it leaves behind waits for a person: sync,
// status and explain say the same from the first pass on.
func TestWaitingConsentIsOneTruth(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), volume("old"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		for range 2 {
			res := w.ends(reconcile.Blocked)
			w.runs("web", "v2")
			if !said(res.Reason).has("applied and healthy", "remove volume/old with its data") || !said(res.Hint).has("syncd approve shop --plan "+res.Ask) {
				t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
			}
			if n := strings.Count(strings.Join(append(res.Notes, res.Reason), "\n"), "volume/old"); n != 1 {
				t.Errorf("the consent is named %d times in %q and %q", n, res.Reason, res.Notes)
			}
			if res.Outcome.ExitCode() != 5 {
				t.Errorf("the exit code is %d, want 5", res.Outcome.ExitCode())
			}
			if s := w.status(); s.Status != reconcile.WBlocked || s.Plan != res.Ask || s.Good.Commit != commitName(1) {
				t.Errorf("the app is %s with %s good, and asks for %q: want Blocked, the new one, and %q", s.Status, s.Good.Commit, s.Plan, res.Ask)
			}
			if e := w.explained(); e.Actor != "an operator" || e.Type[1] != "syncd approve shop --plan "+res.Ask {
				t.Errorf("explained as %+v", e)
			}
		}
		history, err := w.agent.History(t.Context(), "shop", 0)
		w.must(err)
		if len(history) != 2 || history[0].Outcome != "blocked" || len(history[0].Steps) == 0 {
			t.Errorf("the history is %+v: want two passes, the second with its steps", history)
		}
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		w.ends(reconcile.Unchanged)
	})
}

func TestRepairBesideAWaitingConsentIsTold(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), volume("old"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Blocked)
		w.target.Vanish(key("web"))
		res := w.ends(reconcile.Blocked)
		w.runs("web", "v2")
		if !said(res.Reason).has("repaired drift: container/web/1 missing", "remove volume/old") {
			t.Errorf("the reason is %q", res.Reason)
		}
	})
}

// An app that waits for another goes on as soon as that one is good, also where a
// consent of its own keeps that one waiting.
func TestWaitingConsentHoldsNobodyElseUp(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		blog := appFiles{objects: []resource.Object{one("blog", `"image":"v1"`)}}
		blog.config.DependsOn = []string{"shop"}
		w.repo.shop(healthy("v1"), volume("old"))
		w.ends(reconcile.Applied)
		slow := one("web", `"health":"slow:40s","image":"v2"`)
		defer w.background()()
		later(time.Second)
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{slow}}, "blog": blog})
		later(90 * time.Second)
		if w.status().Status != reconcile.WBlocked || len(w.others["blog"].Instances(resource.Key{Kind: "container", Namespace: "blog", Name: "1"})) != 1 {
			t.Errorf("the shop is %s, and the blog waits", w.status().Status)
		}
	})
}

func TestManualRollbackSaysFromWhereToWhere(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v2"))
		w.ends(reconcile.Applied)
		w.act("rollback", reconcile.ActRequest{})
		history, err := w.agent.History(t.Context(), "shop", 0)
		w.must(err)
		word := history[1]
		if want := "from " + commitName(1)[:10] + " to " + commitName(0)[:10]; word.Kind != "rollback" || word.Reason != want {
			t.Errorf("the word is booked as %s: %q, want %q", word.Kind, word.Reason, want)
		}
	})
}
