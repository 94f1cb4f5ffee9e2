package endtoend_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

const two = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    PROBE
  shaky:
    image: IMAGE
    PROBE
`

// tell asks a container's program to break or to repair itself, and waits until
// the engine knows.
func (h *host) tell(service, word string, want container.HealthStatus) {
	h.t.Helper()
	for _, e := range h.one(service).NetworkSettings.Networks {
		client := http.Client{Timeout: 10 * time.Second}
		answer, err := client.Get("http://" + e.IPAddress + ":8080/" + word)
		h.must(err)
		h.must(answer.Body.Close())
	}
	dockertest.Eventually(h.t, service+" "+want, func() bool { return h.one(service).State.Health.Status == want })
}

func TestInnocentCommitsAreNotBlamed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	good := h.deploy(two)
	h.want(h.sync(), reconcile.Applied)
	h.tell("shaky", "break", container.Unhealthy)
	commit := h.deploy(version(two, "2"))
	res := h.want(h.sync(), reconcile.Degraded)
	if !strings.Contains(res.Reason, "shaky") {
		t.Errorf("the reason does not name what was broken: %s", res.Reason)
	}
	if got := env(h.one("web"), "APP_VERSION"); got != "2" {
		t.Errorf("version %s runs, want 2: the change itself is fine", got)
	}
	rec := h.record()
	if rec.Good.Revision.Commit != good || len(rec.Quarantine) > 0 {
		t.Errorf("good is %s and %d are in quarantine, want %s and none", rec.Good.Revision.Short(), len(rec.Quarantine), good[:10])
	}
	h.want(h.sync(), reconcile.Degraded)
	h.tell("shaky", "repair", container.Healthy)
	h.settled()
	if got := h.record().Good.Revision.Commit; got != commit {
		t.Errorf("good is %s, want %s now that all is healthy", got, commit)
	}
}

func TestGuiltyCommitIsBlamedThoughSomethingElseWasBroken(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(two)
	h.want(h.sync(), reconcile.Applied)
	was := h.one("web").ID
	h.tell("shaky", "break", container.Unhealthy)
	h.deploy(strings.Replace(two, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	h.sync()
	if q := h.record().Quarantine; len(q) != 1 {
		t.Errorf("%d revisions are in quarantine, want the one that broke web\n%s", len(q), h.story())
	}
	if h.one("web").ID != was {
		t.Error("the old web was replaced")
	}
}

// In sync is not healthy: what was put by a pass that never judged it is judged
// by the next, though nothing differs any more.
func TestInSyncIsNotHealthy(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.Replace(web, `"1"}`, `"2", APP_HEALTHY_AFTER: 1h}`, 1))
	h.cutAt("container/web/1", "await")
	dockertest.Eventually(t, "the new one is unhealthy", func() bool {
		for _, c := range h.service("web") {
			if c.State.Health.Status == container.Unhealthy {
				return true
			}
		}
		return false
	})
	h.want(h.sync(), reconcile.RolledBack)
	if got := env(h.one("web"), "APP_VERSION"); got != "1" {
		t.Errorf("version %s runs, want 1", got)
	}
}
