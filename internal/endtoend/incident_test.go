package endtoend_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// drifts are the lines of history about drift, the oldest first.
func (h *host) drifts(a *reconcile.Agent) []state.Entry {
	h.t.Helper()
	all, err := a.History(h.t.Context(), h.project, 0)
	h.must(err)
	all = slices.DeleteFunc(all, func(e state.Entry) bool { return e.Kind != "drift" })
	slices.Reverse(all)
	return all
}

// resolved waits until an incident is resolved, and returns its lines.
func (h *host) resolved(a *reconcile.Agent, number int) (lines []state.Entry) {
	h.t.Helper()
	id := state.IncidentID(h.project, number)
	dockertest.Eventually(h.t, "the end of "+id, func() bool {
		lines = slices.DeleteFunc(h.drifts(a), func(e state.Entry) bool { return e.Incident != id })
		return len(lines) > 0 && lines[len(lines)-1].Outcome == "resolved"
	})
	return lines
}

// tells fails the test unless some line of the findings begins so, behind the object.
// What dies before it is removed may be seen in between.
func (h *host) tells(lines []state.Entry, want string) {
	h.t.Helper()
	class, field, _ := strings.Cut(want, " ")
	for _, e := range lines {
		for _, f := range e.Findings {
			_, what, _ := strings.Cut(f, " ")
			if strings.HasPrefix(what, class) || field != "" && strings.HasPrefix(what, field) {
				return
			}
			if class != "missing" {
				h.t.Errorf("%s is told as %q, want %q", e.Outcome, f, want)
			}
		}
	}
	if class != "missing" || len(lines) == 0 {
		h.t.Errorf("told was %+v, want %q", lines, want)
	}
}

// Whatever somebody does to a container is told once, with its fields, when it is
// found, and once when it is repaired; and nothing else is.
func TestEachDriftByHandIsOneIncident(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(drifting)
	a, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	hands := byHands()
	for i, c := range hands {
		h.byHand(c, h.one("web").ID)
		lines := h.resolved(a, i+1)
		h.tells(lines, c.want)
		if len(lines) > 2 && c.name != "docker rm -f" || lines[0].Outcome != "opened" || lines[len(lines)-1].Reason != "repaired by syncd" || len(lines[len(lines)-1].Steps) == 0 {
			t.Errorf("%s is told as %+v", c.name, lines)
		}
	}
	stop()
	h.settled()
	if rec := h.record(); rec.Incident != nil || rec.Incidents != len(hands) {
		t.Errorf("after %d drifts, there were %d incidents, and open is %+v", len(hands), rec.Incidents, rec.Incident)
	}
}

// What is only reported is told once, also by the agent that comes after, and is over
// when somebody puts it back by hand.
func TestDriftThatIsOnlyReportedIsToldOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "owner: till team\nrollout: {soak: 500ms, timeout: 20s}\nsync: {selfHeal: false}\n")
	h.deploy(drifting)
	a, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	h.byHand(byHands()[1], h.one("web").ID)
	dockertest.Eventually(t, "the report", func() bool { return len(h.drifts(a)) == 1 })
	stop()
	a, stop = h.run()
	defer stop()
	mark := h.mark()
	a.Look()
	h.awaitOutcome(mark, reconcile.Pending)
	lines := h.drifts(a)
	if len(lines) != 1 || lines[0].Outcome != "opened" || lines[0].Owner != "till team" || !strings.Contains(lines[0].Hint, "selfHeal") ||
		!slices.Equal(lines[0].Findings, []string{"container/web/1 restart.name: always -> unless-stopped"}) {
		t.Errorf("it is told as %+v", lines)
	}
	ctx, cancel := context.WithTimeout(t.Context(), dockertest.Limit)
	defer cancel()
	_, err := h.api.ContainerUpdate(ctx, h.one("web").ID, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "unless-stopped"}})
	h.must(err)
	if lines := h.resolved(a, 1); len(lines) != 2 || lines[1].Reason != "it went back by itself" || lines[1].Duration.D() <= 0 {
		t.Errorf("its end is told as %+v", lines)
	}
}

// Drift is told at once, and repaired when it is old enough; a person does not wait.
func TestDriftIsRepairedAfterItsGrace(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\ndrift:\n  ignore: [{objects: [container/web], fields: [resources.memory, resources.memorySwap], reason: it is measured}]\n")
	h.deploy(drifting)
	long := func(o *reconcile.Options) { o.Host.Drift.Grace = config.Duration(time.Hour) }
	a, stop := h.run(long)
	defer stop()
	h.awaitOutcome(0, reconcile.Applied)
	id := h.one("web").ID
	h.byHand(byHands()[0], id) // is ignored
	h.byHand(byHands()[1], id)
	dockertest.Eventually(t, "the report", func() bool { return len(h.drifts(a)) == 1 })
	if f := h.drifts(a)[0].Findings; !slices.Equal(f, []string{"container/web/1 restart.name: always -> unless-stopped"}) {
		t.Errorf("it is told as %q", f)
	}
	if policy := h.one("web").HostConfig.RestartPolicy.Name; policy != "always" {
		t.Errorf("it was repaired at once: %s", policy)
	}
	h.want(h.pass(a), reconcile.Applied)
	is := h.one("web")
	if is.ID != id || is.HostConfig.RestartPolicy.Name != "unless-stopped" || is.HostConfig.Memory != 128<<20 {
		t.Errorf("after the repair it restarts %s, with %d bytes of memory: want that left as it was", is.HostConfig.RestartPolicy.Name, is.HostConfig.Memory)
	}
}
