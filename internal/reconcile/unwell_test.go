package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// careful is a shop with a policy for instances that turn unhealthy.
func careful(policy string, budget int) map[string]appFiles {
	app := appFiles{objects: []resource.Object{healthy("v1")}}
	app.config.Health = config.Health{OnUnhealthy: policy, Budget: &budget}
	return map[string]appFiles{"shop": app}
}

func TestUnhealthyAfterItWasGoodIsReported(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(careful("report", 3))
		w.ends(reconcile.Applied)
		w.target.Break(key("web"), "its disk is full")
		w.target.Forget()
		res := w.ends(reconcile.Degraded)
		if !strings.Contains(res.Reason, "its disk is full") {
			t.Errorf("the reason is %q, want what the container says", res.Reason)
		}
		if n := w.target.Changes(); n != 0 {
			t.Errorf("the target was changed %d times, want it only reported", n)
		}
		if rec := w.record(); len(rec.Quarantine) != 0 {
			t.Errorf("quarantine is %v: a good revision is not blamed for what came later", rec.Quarantine)
		}
	})
}

func TestUnhealthyIsRestartedWithinItsBudget(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(careful("restart", 2))
		w.ends(reconcile.Applied)
		w.target.Forget()
		for range 4 {
			w.target.Break(key("web"), "its disk is full") // a restart heals it for a while
			w.ends(reconcile.Degraded)
		}
		if n := w.target.Count("stop"); n != 2 {
			t.Errorf("it was restarted %d times in one hour, want 2", n)
		}
		time.Sleep(2 * time.Hour) //nolint:forbidigo // the bubble's clock
		w.ends(reconcile.Degraded)
		if n := w.target.Count("stop"); n != 3 {
			t.Errorf("it was restarted %d times, want once more in another hour", n)
		}
		w.ends(reconcile.Unchanged)
	})
}
