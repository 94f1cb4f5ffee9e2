package reconcile_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// eye counts the observations that are made through one target.
type eye struct {
	*applytest.Memory
	looks, puts atomic.Int64
}

func (e *eye) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	e.looks.Add(1)
	return e.Memory.Observe(ctx, want, owned)
}

func (e *eye) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	e.puts.Add(1)
	return e.Memory.Put(ctx, o)
}

// eyes lets the agent's targets be watched.
func (w *world) eyes() *[]*eye {
	var all []*eye
	w.wrap = func(m *applytest.Memory) apply.Target {
		all = append(all, &eye{Memory: m})
		return all[len(all)-1]
	}
	w.restart()
	return &all
}

// What a pass was told by its observation stays what it was, whatever is asked
// meanwhile: questions have a target of their own.
func TestQuestionsDoNotDisturbAPass(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		all := w.eyes()
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		w.repo.shop(one("web", `"image":"v2","health":"slow:50s"`))
		later(40 * time.Second)
		before := 0
		for _, e := range *all {
			if e.puts.Load() > 0 {
				before += int(e.looks.Load())
			}
		}
		for _, req := range []reconcile.PlanRequest{{}, {Ref: commitName(0)}} {
			_, err := w.agent.Plan(t.Context(), req)
			w.must(err)
		}
		w.status()
		w.explained()
		after := 0
		for _, e := range *all {
			if e.puts.Load() > 0 {
				after += int(e.looks.Load())
			}
		}
		if after != before {
			t.Errorf("the target of the pass was observed %d times more", after-before)
		}
		later(time.Minute)
		w.runs("web", "v2")
	})
}

// Questions do not work out twice what one target could remember.
func TestStatusKeepsItsTarget(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		all := w.eyes()
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		for range 5 {
			w.status()
			_, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
			w.must(err)
		}
		if len(*all) != 2 {
			t.Errorf("the agent has %d targets of one app, want one for passes and one for questions", len(*all))
		}
	})
}

// "Nothing is changed" holds for the apps of another revision, too, that nobody
// has seen here.
func TestPlanOfAnotherRefLeavesNothingBehind(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		shop := appFiles{objects: []resource.Object{healthy("v1")}}
		w.repo.merge(map[string]appFiles{"shop": shop})
		w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy("v2")}}, "blog": {objects: []resource.Object{one("blog", `"image":"v1"`)}}})
		w.repo.merge(map[string]appFiles{"shop": shop})
		defer w.background()()
		later(time.Minute)
		_, before := w.repo.asked()
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{Ref: commitName(1)})
		w.must(err)
		if len(previews) != 2 || previews[0].App != "blog" || !previews[0].Differs() || !previews[1].Differs() {
			t.Fatalf("the plan is %+v", previews)
		}
		one, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{Ref: commitName(1), Apps: []string{"blog"}})
		w.must(err)
		if len(one) != 1 || one[0].App != "blog" {
			t.Errorf("asked for the blog it plans %+v", one)
		}
		if _, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{Ref: commitName(1), Apps: []string{"nobody"}}); err == nil {
			t.Error("an unknown app is planned")
		}
		later(30 * time.Minute)
		apps, err := w.store.Apps()
		w.must(err)
		if !slices.Equal(apps, []string{"shop"}) || len(w.whole().Apps) != 1 {
			t.Errorf("records of %v, status of %+v: want the shop's alone", apps, w.whole().Apps)
		}
		if _, err := w.agent.History(t.Context(), "blog", 0); err == nil {
			t.Error("the blog has a history")
		}
		if _, after := w.repo.asked(); after != before+3 {
			t.Errorf("%d renderings, want the three that were asked for", after-before)
		}
		w.synced(reconcile.Unchanged)
	})
}
