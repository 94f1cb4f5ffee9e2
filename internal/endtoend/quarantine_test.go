package endtoend_test

import (
	"context"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// sick is web, version 2, that never gets healthy.
var sick = strings.Replace(web, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1)

func TestQuarantinedDigestStaysOut(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(sick)
	h.want(h.sync(), reconcile.RolledBack)
	h.untouched(func() { h.want(h.sync(), reconcile.Held) })

	h.write("README.md", "nothing that the app reads")
	h.merge("an unrelated commit")
	h.untouched(func() { h.want(h.sync(), reconcile.Held) })

	ctx, cancel := context.WithTimeout(t.Context(), dockertest.Limit)
	defer cancel()
	h.must(h.api.ContainerStop(ctx, h.one("web").ID, container.StopOptions{}))
	h.want(h.sync(), reconcile.Held)
	if c := h.one("web"); !c.State.Running || env(c, "APP_VERSION") != "1" {
		t.Errorf("drift against the good set is not repaired while the wanted one is held: %s", c.State.Status)
	}

	out := h.act("retry", reconcile.ActRequest{})
	h.want(*out.Result, reconcile.RolledBack)
	h.want(h.sync(), reconcile.Held)
	h.deploy(version(web, "3"))
	h.want(h.sync(), reconcile.Applied)
	h.settled()
}

func TestNewInputPreemptsWaiting(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 10m}\n")
	patient := strings.Replace(web, "PROBE", strings.Replace(probe, "retries: 3", "retries: 3000", 1), 1)
	h.deploy(patient)
	h.run()
	h.awaitOutcome(0, reconcile.Applied)
	mark := h.mark()
	h.deploy(strings.Replace(patient, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	h.awaitStep(mark, "container/web/1", apply.Waiting)
	mark = h.mark()
	h.deploy(version(patient, "3"))
	h.awaitOutcome(mark, reconcile.Superseded)
	h.awaitOutcome(mark, reconcile.Applied)
	if got := env(h.one("web"), "APP_VERSION"); got != "3" {
		t.Errorf("version %s runs, want the fix, 3", got)
	}
}

func TestUnrelatedCommitDoesNotPreempt(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	slow := strings.Replace(web, `"1"}`, `"1", APP_HEALTHY_AFTER: 4s}`, 1)
	slow = strings.Replace(slow, "PROBE", strings.Replace(probe, "retries: 3", "retries: 300", 1), 1)
	h.deploy(slow)
	h.run()
	h.awaitStep(0, "container/web/1", apply.Waiting)
	h.place("docs/README.md", "of no app")
	h.merge("write docs")
	h.awaitOutcome(0, reconcile.Applied)
	for _, e := range h.since(0) {
		if e.Result != nil && e.Result.Outcome == reconcile.Superseded {
			t.Error("a commit that leaves the app as it is ended its rollout")
		}
	}
}

func TestPauseLeavesTheAppAloneUntilResumed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.act("pause", reconcile.ActRequest{Reason: "a demo"})
	h.deploy(version(web, "2"))
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Paused)
		for _, part := range []string{"ada", "a demo"} {
			if !strings.Contains(res.Reason, part) {
				t.Errorf("the reason lacks %q: %s", part, res.Reason)
			}
		}
	})
	if s := h.status(); s.Status != reconcile.WPaused {
		t.Errorf("status is %s, want Paused", s.Status)
	}
	out := h.act("resume", reconcile.ActRequest{})
	h.want(*out.Result, reconcile.Applied)
	if got := env(h.one("web"), "APP_VERSION"); got != "2" {
		t.Errorf("version %s runs, want 2", got)
	}
}

func TestManualRollbackHoldsUntilTheInputChanges(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(web, "2"))
	h.want(h.sync(), reconcile.Applied)
	back := func() {
		t.Helper()
		h.want(*h.act("rollback", reconcile.ActRequest{}).Result, reconcile.RolledBack)
		if got := env(h.one("web"), "APP_VERSION"); got != "1" {
			t.Errorf("version %s runs, want 1", got)
		}
	}
	back()
	h.untouched(func() { h.want(h.sync(), reconcile.Held) })
	h.place("docs/README.md", "of no app")
	h.merge("write docs")
	h.untouched(func() { h.want(h.sync(), reconcile.Held) })
	h.want(*h.act("resume", reconcile.ActRequest{}).Result, reconcile.Applied)
	back()
	h.deploy(version(web, "3"))
	h.want(h.sync(), reconcile.Applied)
	h.settled()
}
