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

// meddled is a target on which something else changes what is put, while busy.
type meddled struct {
	*applytest.Memory
	busy *atomic.Bool
}

func (m meddled) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	ref, err := m.Memory.Put(ctx, o)
	if err == nil && m.busy.Load() {
		m.Edit(o.Key, `{"image":"v2","pin":"sha256:v2","size":"large"}`)
	}
	return ref, err
}

// A change that does not stay as it is put costs the app its instances each time:
// it is put a few times, and then only told.
func TestChangeThatDoesNotConvergeIsNotRepeatedForEver(t *testing.T) {
	doesNotConverge(t, func(image string) []resource.Object { return []resource.Object{healthy(image)} })
}

// Nor is it tried out again and again.
func TestCanaryThatDoesNotConvergeIsNotRepeatedForEver(t *testing.T) {
	doesNotConverge(t, func(image string) []resource.Object {
		web := healthy(image)
		web.Policy.Canary = &resource.Canary{Share: 10, For: resource.Duration(time.Minute)}
		return routed([]resource.Object{web}, `"mode":"http"`)
	})
}

func doesNotConverge(t *testing.T, shop func(image string) []resource.Object) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		busy := &atomic.Bool{}
		w.wrap = func(m *applytest.Memory) apply.Target { return meddled{m, busy} }
		w.restart()
		w.repo.shop(shop("v1")...)
		w.ends(reconcile.Applied)
		busy.Store(true)
		w.repo.shop(shop("v2")...)
		stop := w.background()
		later(10 * time.Minute)
		w.target.Forget()
		later(3 * time.Hour)
		if n := w.target.Count("put"); n != 0 {
			t.Errorf("it was put %d times more after ten minutes", n)
		}
		if s := w.status(); s.Outcome != reconcile.Degraded || !strings.Contains(s.Reason, "does not converge") || !strings.Contains(s.Hint, "syncd sync shop") {
			t.Errorf("it is %s: %s; %s", s.Outcome, s.Reason, s.Hint)
		}
		w.target.Vanish(key("web")) // something else is missing: that is put
		later(5 * time.Minute)
		if n := w.target.Count("put"); n == 0 {
			t.Error("what vanished was not put again")
		}
		stop()
		busy.Store(false)
		w.ends(reconcile.Applied) // a person asked
		w.runs("web", "v2")
	})
}
