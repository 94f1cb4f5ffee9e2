package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// plain is a service that nothing probes.
const plain = `
services:
  web:
    image: IMAGE
    restart: always
    environment: {APP_VERSION: "1"}
`

func TestCrashLoopWithoutHealthcheckIsFoundBeforeTheOldGoes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	before := h.one("web")
	h.deploy(strings.Replace(plain, `"1"}`, `"2", APP_EXIT: "3", APP_EXIT_AFTER: 300ms, APP_SAY: "no database"}`, 1))
	res := h.want(h.sync(), reconcile.RolledBack)
	after := h.one("web")
	if after.ID != before.ID || after.State.StartedAt != before.State.StartedAt {
		t.Error("the old container did not run on all the time")
	}
	for _, part := range []string{"web", "exit 3", "no database"} {
		if !strings.Contains(res.Reason, part) {
			t.Errorf("the reason lacks %q: %s", part, res.Reason)
		}
	}
	h.want(h.sync(), reconcile.Held)
}

func TestHealthyThenDiesInTheSoak(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	soon := strings.Replace(web, "PROBE", `healthcheck: {test: ["CMD", "/app", "-exit", "0", "-exit-after", "0s"], interval: 200ms}`, 1)
	h.deploy(soon)
	h.want(h.sync(), reconcile.Applied)
	before := h.one("web").ID
	h.write(".syncd.yaml", "rollout: {soak: 20s, timeout: 20s}\n")
	h.deploy(strings.Replace(soon, `"1"}`, `"2", APP_EXIT: "7", APP_EXIT_AFTER: 5s}`, 1))
	res := h.want(h.sync(), reconcile.RolledBack)
	if !strings.Contains(res.Reason, "exit 7") {
		t.Errorf("the reason lacks the exit code: %s", res.Reason)
	}
	after := h.one("web")
	if after.ID == before {
		t.Error("the new one never took over: this test has not seen a soak")
	}
	if env(after, "APP_VERSION") != "1" || !after.State.Running {
		t.Errorf("version %s is %s, want 1 running", env(after, "APP_VERSION"), after.State.Status)
	}
	h.want(h.sync(), reconcile.Held)
}

func TestFailedFirstDeployHaltsAndStaysForInspection(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(strings.Replace(plain, `"1"}`, `"1", APP_EXIT: "4", APP_EXIT_AFTER: 300ms, APP_SAY: "no licence"}`, 1))
	res := h.want(h.sync(), reconcile.Halted)
	if !strings.Contains(res.Reason, "no licence") {
		t.Errorf("the reason lacks the last output: %s", res.Reason)
	}
	c := h.one("web")
	if c.State.Running || c.State.Restarting || !c.HostConfig.RestartPolicy.IsNone() {
		t.Errorf("the failed container is %s with restart %q, want it stopped for good", c.State.Status, c.HostConfig.RestartPolicy.Name)
	}
	h.untouched(func() { h.want(h.sync(), reconcile.Halted) })
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	if c := h.one("web"); c.HostConfig.RestartPolicy.Name != "always" {
		t.Errorf("restart is %q, want always", c.HostConfig.RestartPolicy.Name)
	}
	h.settled()
}
