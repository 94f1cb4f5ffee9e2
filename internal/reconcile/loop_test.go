package reconcile_test

import (
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// later lets the bubble's clock run.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // the bubble's clock
	synctest.Wait()
}

func TestNewInputPreemptsWaiting(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.shop(never("v2")) // would be awaited for a minute
		later(40 * time.Second)
		w.repo.shop(healthy("v3"))
		later(50 * time.Second)
		w.runs("web", "v3")
		if rec := w.record(); len(rec.Quarantine) != 0 {
			t.Errorf("quarantine is %v: what was superseded was not judged", rec.Quarantine)
		}
	})
}

func TestUnrelatedCommitDisturbsNobody(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		slow := one("web", `"health":"slow:50s","image":"v2"`)
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{slow}}})
		later(40 * time.Second)
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{slow}}, "blog": {objects: []resource.Object{one("blog", `"image":"v1"`)}}})
		later(50 * time.Second)
		w.runs("web", "v2")
		later(time.Minute)
		if puts := w.target.Count("put"); puts > 6 {
			t.Errorf("%d puts: the rollout was begun anew", puts)
		}
	})
}

func TestIdlePollCostsOneRefQueryAndNoTargetCall(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Forget()
		w.repo.mu.Lock()
		w.repo.resolved, w.repo.rendered = 0, 0
		w.repo.mu.Unlock()
		later(5 * 30 * time.Second)
		if calls := len(w.target.Calls()); calls != 0 {
			t.Errorf("%d target calls in five idle polls, want none:\n%s", calls, w.target.Log())
		}
		w.repo.mu.Lock()
		defer w.repo.mu.Unlock()
		if w.repo.resolved != 5 || w.repo.rendered != 0 {
			t.Errorf("%d ref queries and %d renderings in five idle polls, want 5 and 0", w.repo.resolved, w.repo.rendered)
		}
	})
}

func TestDegradedAppIsLookedAtAgain(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Break(key("db"), "out of memory")
		w.repo.shop(healthy("v2"), one("db", `"image":"v1"`))
		later(2 * time.Minute)
		w.target.Break(key("db"), "")
		later(2 * time.Minute)
		if rec := w.record(); rec.Good.Revision.Commit != commitName(1) {
			t.Errorf("good is %s, want the new one by itself", rec.Good.Revision.Commit)
		}
	})
}

func TestAppWaitsForAnother(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		blog := appFiles{objects: []resource.Object{one("blog", `"health":"slow:20s","image":"v1"`)}}
		shop := appFiles{objects: []resource.Object{healthy("v1")}}
		shop.config.DependsOn = []string{"blog"}
		w.repo.merge(map[string]appFiles{"shop": shop, "blog": blog})
		w.ends(reconcile.Blocked)
		stop := w.background()
		defer stop()
		later(10 * time.Second)
		if len(w.target.Instances(key("web"))) != 0 {
			t.Error("the shop was put before the blog was good")
		}
		later(2 * time.Minute)
		w.runs("web", "v1")
	})
}

// Whoever is first to see a commit, a question or the loop: it is applied.
func TestCommitThatAQuestionSawFirstIsApplied(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		_, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		later(time.Minute)
		w.runs("web", "v2")
	})
}

// A person who asks for a fix does not wait for what it fixes, also where nothing is
// put unless somebody asks.
func TestAPersonsFixPreemptsWhatItFixes(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no := false
		merge := func(object resource.Object) {
			app := appFiles{objects: []resource.Object{object}}
			app.config.Sync.Auto = &no
			w.repo.merge(map[string]appFiles{"shop": app})
		}
		merge(healthy("v1"))
		defer w.background()()
		w.ends(reconcile.Applied)
		merge(never("v2"))
		asked := make(chan reconcile.Result, 1)
		go func() { asked <- w.pass() }()
		later(10 * time.Second)
		merge(healthy("v3"))
		begun := time.Now()
		w.ends(reconcile.Applied)
		w.runs("web", "v3")
		if res := <-asked; res.Outcome != reconcile.Superseded || time.Since(begun) > 20*time.Second {
			t.Errorf("what it fixes ended %s, after %s", res.Outcome, time.Since(begun))
		}
	})
}

// Who has to find out whether a pass is still wanted does so beside the others: the
// next look at the repository does not wait for one rendering after the other.
func TestPassesArePreemptedSideBySide(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := func(image string) map[string]appFiles {
			out := map[string]appFiles{}
			for _, name := range []string{"a", "b", "c", "d"} {
				out[name] = appFiles{objects: []resource.Object{one(name, `"image":"`+image+`","health":"slow:50s"`)}}
			}
			return out
		}
		w.repo.merge(apps("v1"))
		defer w.background()()
		later(10 * time.Second)
		w.repo.onRender(func() { <-time.After(20 * time.Second) })
		w.repo.merge(apps("v2"))
		w.agent.Poll()
		later(time.Second)
		w.repo.forget()
		later(55 * time.Second) // 20 to render all four, and 30 to the next poll
		if resolved, _ := w.repo.asked(); resolved != 1 {
			t.Errorf("%d ref queries meanwhile, want the next one", resolved)
		}
	})
}
