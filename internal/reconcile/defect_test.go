package reconcile_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// mistaken is a target with a defect, while it is on.
type mistaken struct {
	*applytest.Memory
	looking, putting *atomic.Bool
}

func (m mistaken) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	if m.looking.Load() {
		panic("nobody thought of this")
	}
	return m.Memory.Observe(ctx, want, owned)
}

func (m mistaken) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	if m.putting.Load() {
		panic("nor of this")
	}
	return m.Memory.Put(ctx, o)
}

// A defect that one app's pass meets ends neither the agent nor what is done for others,
// blames no revision, and stops nothing once it is gone.
func TestADefectEndsOnlyThePassThatMeetsIt(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		var looking, putting atomic.Bool
		w.wrap = func(m *applytest.Memory) apply.Target {
			if m != w.target {
				return m
			}
			return mistaken{m, &looking, &putting}
		}
		var told atomic.Value
		w.restart(func(o *reconcile.Options) {
			o.Hear = func(e reconcile.Event) {
				if strings.Contains(e.Text, "a defect of syncd") {
					told.Store(e.App + ": " + e.Text)
				}
			}
		})
		both := func(image string) {
			w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy(image)}}, "blog": {objects: []resource.Object{healthy(image)}}})
		}
		both("v1")
		defer w.background()()
		later(time.Minute)
		for where, defect := range map[string]*atomic.Bool{"mistaken.Observe": &looking, "mistaken.Put": &putting} {
			defect.Store(true)
			both("v2 " + where)
			later(5 * time.Minute)
			w.runs("web", "v1")
			if got := w.others["blog"].Instances(key("web")); len(got) != 1 || !contains(got[0].Spec, "v2 "+where) {
				t.Errorf("%s: the other app runs %v", where, got)
			}
			defect.Store(false)
			s := w.status()
			if s.Outcome != reconcile.Unreachable || !strings.Contains(s.Reason, "a defect of syncd: no") || strings.Contains(s.Reason, where) {
				t.Errorf("%s: it is %s: %s", where, s.Outcome, s.Reason)
			}
			if got, _ := told.Load().(string); !strings.HasPrefix(got, "shop: ") || !strings.Contains(got, where) {
				t.Errorf("the log says %q, want where it is: %s", got, where)
			}
			later(3 * time.Minute)
			w.runs("web", "v2 "+where)
			if q := w.record().Quarantine; len(q) != 0 {
				t.Errorf("quarantine is %v", q)
			}
			both("v1")
			later(3 * time.Minute)
		}
	})
}
