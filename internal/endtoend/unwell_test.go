package endtoend_test

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// stays is web with a restart policy of its own, which a restart must not cost it.
const stays = `
services:
  web:
    image: IMAGE
    restart: unless-stopped
    environment: {APP_VERSION: "1"}
    PROBE
`

// breaks lets the service turn unhealthy, and returns the pass that notices, for
// which reason holds part.
func (h *host) breaks(part string) reconcile.Result {
	h.t.Helper()
	mark := h.mark()
	h.tell("web", "break", container.Unhealthy)
	e := h.await(mark, "a degraded pass: "+part, func(e reconcile.Event) bool {
		return e.Result != nil && e.Result.Outcome == reconcile.Degraded && strings.Contains(e.Result.Reason, part)
	})
	return *e.Result
}

func (h *host) healthy(service string) {
	h.t.Helper()
	dockertest.Eventually(h.t, service+" is healthy", func() bool { return h.one(service).State.Health.Status == container.Healthy })
}

// blameless fails the test unless this revision is good, and none is in
// quarantine.
func (h *host) blameless(commit string) {
	h.t.Helper()
	if rec := h.record(); len(rec.Quarantine) > 0 || rec.Good.Revision.Commit != commit || rec.Halted != "" {
		h.t.Errorf("good is %s, quarantine is %+v, halted %q: want %s good, and nobody blamed", rec.Good.Revision.Short(), rec.Quarantine, rec.Halted, commit[:10])
	}
}

func TestUnhealthyAfterItWasGoodIsRestartedWithinItsBudget(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nhealth: {onUnhealthy: restart, budget: 2}\n")
	commit := h.deploy(stays)
	_, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	is := h.one("web")
	for n := range 2 {
		was := h.one("web")
		mark := h.mark()
		res := h.breaks("restarted")
		if !strings.Contains(res.Reason, "container/web/1") || !strings.Contains(res.Reason, "unhealthy after") {
			t.Errorf("restart %d: the reason is %q, want who and why", n+1, res.Reason)
		}
		h.healthy("web")
		h.awaitOutcome(mark, reconcile.Unchanged)
		if is := h.one("web"); is.ID != was.ID || is.State.StartedAt == was.State.StartedAt {
			t.Errorf("restart %d: container %s started at %s, before %s at %s: want the same, started again", n+1, is.ID[:8], is.State.StartedAt, was.ID[:8], was.State.StartedAt)
		}
	}
	spent := h.one("web").State.StartedAt
	res := h.breaks("as often as health.budget allows")
	if res.Hint == "" {
		t.Error("there is no hint")
	}
	stop()
	h.untouched(func() { h.want(h.sync(), reconcile.Degraded) }) // another agent finds the same budget spent
	got := h.one("web")
	if got.State.StartedAt != spent || got.ID != is.ID {
		t.Error("it was restarted once more, or replaced")
	}
	if got.HostConfig.RestartPolicy.Name != "unless-stopped" {
		t.Errorf("its restart policy is %s, want its own", got.HostConfig.RestartPolicy.Name)
	}
	h.blameless(commit)
	h.tell("web", "repair", container.Healthy)
	h.settled()
}

func TestUnhealthyAfterItWasGoodIsOnlyReportedByDefault(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	commit := h.deploy(stays)
	_, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	was := h.ids("web")
	h.untouched(func() {
		res := h.breaks("container/web/1")
		if !strings.Contains(res.Hint, "health.onUnhealthy: restart") {
			t.Errorf("the hint is %q, want what would restart it", res.Hint)
		}
		stop()
		for _, c := range []struct {
			verb string
			code int
			says string
		}{{"status", 5, "Degraded"}, {"sync", 5, "unhealthy after"}, {"explain " + h.project, 0, "an operator"}} {
			if out := h.cli(c.code, strings.Fields(c.verb)...); !strings.Contains(out, c.says) {
				t.Errorf("syncd %s does not say %q:\n%s", c.verb, c.says, out)
			}
		}
	})
	if h.ids("web") != was {
		t.Error("it was restarted")
	}
	h.blameless(commit)
	h.tell("web", "repair", container.Healthy)
	h.settled()
}

// looping has no healthcheck, and outlives its soak only.
const looping = `
services:
  web:
    image: IMAGE
    restart: always
    environment: {APP_EXIT: "7", APP_EXIT_AFTER: 6s}
`

// A crash loop needs no healthcheck to be noticed.
func TestCrashLoopAfterItWasGoodIsReported(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	commit := h.deploy(looping)
	_, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	was := h.one("web").ID
	h.await(h.mark(), "a report of the loop", func(e reconcile.Event) bool {
		return e.Result != nil && e.Result.Outcome == reconcile.Degraded &&
			strings.Contains(e.Result.Reason, "container/web/1") && strings.Contains(e.Result.Reason, "exit 7")
	})
	stop()
	if h.one("web").ID != was {
		t.Error("it was replaced")
	}
	h.blameless(commit)
}
