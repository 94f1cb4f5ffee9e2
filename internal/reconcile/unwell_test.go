package reconcile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
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

// degraded fails the test unless so many lines of history say so.
func (w *world) degraded(want int) {
	w.t.Helper()
	var got []string
	for _, line := range w.lines("sync") {
		if strings.HasPrefix(line, string(reconcile.Degraded)) {
			got = append(got, line)
		}
	}
	if len(got) != want {
		w.t.Errorf("%d lines say that it is degraded, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
	}
}

// An engine counts the probes that failed, a cluster the restarts, and both name what
// they saw last: status tells it, and of one trouble the history has one line.
func TestWhatStaysUnhealthyIsInTheHistoryOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(careful("report", 3))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Minute)
		ails := func(from int) {
			t.Helper()
			for n := from; n < from+20; n++ {
				w.target.Break(key("web"), fmt.Sprintf("unhealthy after %d probes: exit 1: no", n))
				later(time.Minute)
			}
		}
		ails(3)
		w.degraded(1)
		since := w.status().Since
		ails(23)
		if s := w.status(); !strings.Contains(s.Reason, "after 42 probes") || !s.Since.Equal(since) {
			t.Errorf("status says %q since %v, want what was seen last since %v", s.Reason, s.Since, since)
		}
		w.target.Break(key("web"), "")
		later(2 * time.Minute)
		ails(3)
		w.degraded(2) // it was well between
	})
}

// Nor is a revision told again and again that waits for what was failing before.
func TestWhatWaitsForTheUnhealthyIsInTheHistoryOnce(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		db := one("db", `"image":"v1"`)
		w.repo.shop(healthy("v1"), db)
		w.ends(reconcile.Applied)
		w.target.Break(key("db"), "unhealthy after 3 probes")
		w.repo.shop(healthy("v2"), db)
		defer w.background()()
		for n := range 20 {
			later(time.Minute)
			w.target.Break(key("db"), fmt.Sprintf("unhealthy after %d probes", 4+n))
		}
		w.degraded(1)
		if s := w.standing("shop"); s.Reason != "was failing before this change and still is: container/db/1: unhealthy after 22 probes" || s.Says != "was failing before this change and still is: container/db/1: healthcheck" {
			t.Errorf("it stands %+v", s)
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

// What syncd itself has stopped, to restart it, is no drift, wherever that ends.
func TestARestartThatWasCutShortIsNoDrift(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.merge(careful("restart", 3))
		w.ends(reconcile.Applied)
		w.target.Break(key("web"), "its disk is full")
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" {
				return errors.New("the daemon is ending")
			}
			return nil
		})
		w.pass()
		w.restart()
		w.ends(reconcile.Degraded) // it is not put back either
		w.target.OnCall(nil)
		w.ends(reconcile.Applied)
		w.ends(reconcile.Unchanged)
		w.runs("web", "v1")
		w.tells()
		if rec := w.record(); len(rec.Restarting) != 0 {
			t.Errorf("on record is that %v may be stopped", rec.Restarting)
		}
		w.target.Vanish(key("web")) // which is somebody else's doing
		w.ends(reconcile.Applied)
		w.tells("opened shop#1 container/web/1 missing", "resolved shop#1 repaired by syncd")
	})
}

// Where nothing is repaired, what a restart has left stopped is told.
func TestARestartThatNobodyEndsIsDrift(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		no, app := false, careful("restart", 3)["shop"]
		app.config.Sync.SelfHeal = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		stop := w.background()
		later(time.Minute)
		w.target.Break(key("web"), "its disk is full")
		defer w.refusing("web")()
		w.look()
		stop()
		w.restart()
		defer w.background()()
		w.look()
		if got := w.lines("drift"); len(got) != 1 || !strings.HasPrefix(got[0], "opened shop#1 container/web/1") {
			t.Errorf("told was %q", got)
		}
	})
}
