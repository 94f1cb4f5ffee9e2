package endtoend_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
)

const drifting = `
services:
  web:
    image: IMAGE
    restart: unless-stopped
    mem_limit: 64m
    networks: [default, back]
    PROBE
networks: {back: {}}
`

// byHand is one thing that somebody does to the container behind syncd's back.
type byHand struct {
	name string
	do   func(ctx context.Context, h *host, id string) error
	// want is the finding: its class, and the field that it names.
	want string
	// another is true where the repair makes a new container.
	another bool
}

func byHands() []byHand {
	update := func(u container.UpdateConfig) func(context.Context, *host, string) error {
		return func(ctx context.Context, h *host, id string) error {
			_, err := h.api.ContainerUpdate(ctx, id, u)
			return err
		}
	}
	return []byHand{
		{"docker update --memory", update(container.UpdateConfig{Resources: container.Resources{Memory: 128 << 20, MemorySwap: 256 << 20}}), "modified resources.memory", false},
		{"docker update --restart", update(container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}), "modified restart", false},
		{"docker network disconnect", func(ctx context.Context, h *host, id string) error {
			return h.api.NetworkDisconnect(ctx, h.project+"_back", id, true)
		}, "modified networks[back]", false},
		{"docker stop", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerStop(ctx, id, container.StopOptions{})
		}, "modified state", false},
		{"docker pause", func(ctx context.Context, h *host, id string) error { return h.api.ContainerPause(ctx, id) }, "modified state", false},
		{"docker rename", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerRename(ctx, id, h.project+"-mine")
		}, "modified name", false},
		{"docker run", func(ctx context.Context, h *host, id string) error { return h.copyOf(ctx, id, "7") }, "extra", false},
		{"docker run, same slot", func(ctx context.Context, h *host, id string) error { return h.copyOf(ctx, id, "1") }, "extra", false},
		{"docker rm -f", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
		}, "missing", true},
	}
}

// copyOf starts another container with the labels of one of ours.
func (h *host) copyOf(ctx context.Context, id, number string) error {
	in, err := h.api.ContainerInspect(ctx, id)
	if err != nil {
		return err
	}
	in.Config.Labels["com.docker.compose.container-number"] = number
	endpoints := map[string]*network.EndpointSettings{h.project + "_default": {}}
	made, err := h.api.ContainerCreate(ctx, in.Config, in.HostConfig, &network.NetworkingConfig{EndpointsConfig: endpoints}, nil, h.project+"-copy-"+number)
	if err != nil {
		return err
	}
	return h.api.ContainerStart(ctx, made.ID, container.StartOptions{})
}

// found says the only difference of a report: class and fields.
func found(t testing.TB, report drift.Report) string {
	t.Helper()
	different := report.Different()
	if len(different) != 1 {
		t.Errorf("%d slots differ, want one:\n%s", len(different), report)
		return ""
	}
	words := []string{string(different[0].Class)}
	for _, c := range different[0].Changes {
		words = append(words, c.Path)
	}
	return strings.Join(words, " ")
}

// says tells whether a finding has want's class, and no field but want's.
func says(finding, want string) bool {
	got, wanted := strings.Fields(finding), strings.Fields(want)
	if len(got) == 0 || got[0] != wanted[0] || (len(got) > 1) != (len(wanted) > 1) {
		return false
	}
	for _, path := range got[1:] {
		if path != wanted[1] && !strings.HasPrefix(path, wanted[1]+".") {
			return false
		}
	}
	return true
}

func TestDriftByHandIsRepaired(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(drifting)
	h.want(h.sync(), reconcile.Applied)
	for _, c := range byHands() {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			was := h.one("web")
			h.byHand(c, was.ID)
			res := h.want(h.sync(), reconcile.Applied)
			if got := found(t, res.Report); !says(got, c.want) {
				t.Errorf("reported %q, want %q:\n%s", got, c.want, res.Report)
			}
			if !strings.HasPrefix(res.Reason, "repaired drift") {
				t.Errorf("the reason is %q", res.Reason)
			}
			if is := h.one("web"); (is.ID != was.ID) != c.another {
				t.Errorf("another container: %t, want %t", is.ID != was.ID, c.another)
			}
			h.settled()
		})
		h.t = t
	}
}

func (h *host) byHand(c byHand, id string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h.must(c.do(ctx, h, id))
}

func TestDriftIsOnlyReportedWithoutSelfHeal(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nsync: {selfHeal: false}\n")
	h.deploy(drifting)
	_, stop := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	for _, c := range byHands() {
		if c.name != "docker stop" && c.name != "docker update --restart" && c.name != "docker run" {
			continue
		}
		was := h.service("web")[0].ID
		mark := h.mark()
		h.byHand(c, was)
		h.await(mark, "a report of "+c.name, func(e reconcile.Event) bool {
			return e.Result != nil && e.Result.Outcome == reconcile.Pending && strings.Contains(e.Result.Report.String(), strings.Fields(c.want)[len(strings.Fields(c.want))-1])
		})
	}
	stop()
	status := h.status()
	if status.Status != reconcile.OutOfSync || len(status.Drift) != 2 {
		t.Errorf("status is %s with drift %q, want OutOfSync with the container and the copy", status.Status, status.Drift)
	}
	if c := h.service("web"); len(c) != 2 || c[0].State.Running && c[1].State.Running {
		t.Error("something was repaired that should be reported only")
	}
}

func TestSameDriftAgainAndAgainDoesNotConverge(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(drifting)
	a, closeAgent := h.agent()
	defer closeAgent()
	h.want(h.pass(a), reconcile.Applied)
	byHand := byHands()[1]
	for range 3 {
		h.byHand(byHand, h.one("web").ID)
		h.want(h.pass(a), reconcile.Applied)
	}
	h.byHand(byHand, h.one("web").ID)
	h.untouched(func() {
		res := h.want(h.pass(a), reconcile.Degraded)
		if !strings.Contains(res.Reason, "does not converge") || !strings.Contains(res.Reason, "restart.name: always -> unless-stopped") {
			t.Errorf("the reason does not name the field that is fought over: %s", res.Reason)
		}
	})
}

func TestRemovedNetworkIsMadeAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(drifting)
	h.want(h.sync(), reconcile.Applied)
	back := h.project + "_back"
	ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
	defer cancel()
	h.must(h.api.NetworkDisconnect(ctx, back, h.one("web").ID, true))
	h.must(h.api.NetworkRemove(ctx, back))
	h.want(h.sync(), reconcile.Applied)
	if c := h.one("web"); c.NetworkSettings.Networks[back] == nil || !c.State.Running {
		t.Errorf("%s is %s and not on its network again", c.Name, c.State.Status)
	}
	h.settled()
}
