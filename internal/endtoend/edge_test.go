package endtoend_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

const edge = "0-syncd-edge"

// behindGate is the compose file of a service behind a gate, on an engine of the
// test's own.
func behindGate(port string) string {
	return strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
}

// gateRuns fails the test unless the app's only gate runs on the network of gates,
// of which there is one.
func (h *host) gateRuns() {
	h.t.Helper()
	list, err := h.api.NetworkList(h.t.Context(), network.ListOptions{})
	h.must(err)
	var edges []string
	for _, n := range list {
		if n.Name == edge {
			edges = append(edges, n.ID)
		}
	}
	for _, c := range dockertest.Containers(h.t, h.api, h.project) {
		if c.Config.Labels["io.syncd.gate"] == "" {
			continue
		}
		if !c.State.Running || len(edges) != 1 || c.NetworkSettings.Networks[edge].NetworkID != edges[0] {
			h.t.Errorf("the gate is %s, on %v, of the networks of gates %v", c.State.Status, c.NetworkSettings.Networks, edges)
		}
		return
	}
	h.t.Error("there is no gate")
}

// The network of gates is everybody's: whoever takes it away, at whatever moment,
// every gate comes up.
func TestGatesShareANetworkThatComesAndGoes(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	t.Run("two made at once", func(t *testing.T) {
		h := p.host(t)
		p.post("/networks/create", `{"Name": "0-syncd-edge"}`)
		p.post("/networks/create", `{"Name": "0-syncd-edge"}`)
		h.deploy(behindGate("18081"))
		h.want(h.sync(), reconcile.Applied)
		h.gateRuns()
		h.settled()
		h.deploy("services: {web: {image: IMAGE}}\n")
		h.want(h.sync(), reconcile.Applied)
	})
	t.Run("gone before the gate starts", func(t *testing.T) {
		h := p.host(t)
		between := newProxyTo(t, strings.TrimPrefix(p.address, "unix://"))
		var once sync.Once
		between.before = func(call string) {
			if list := dockertest.Containers(t, p.api, h.project); strings.HasSuffix(call, "/start") && len(list) == 2 {
				once.Do(func() { h.must(p.api.NetworkRemove(context.WithoutCancel(t.Context()), edge)) })
			}
		}
		h.engine = between.address
		h.deploy(behindGate("18082"))
		h.want(h.sync(), reconcile.Applied)
		once.Do(func() { t.Error("it was never taken away") })
		h.gateRuns()
		h.settled()
	})
	t.Run("gone while a gate has stopped", func(t *testing.T) {
		h := p.host(t)
		h.deploy(behindGate("18083"))
		h.want(h.sync(), reconcile.Applied)
		p.stopGates(t)
		h.must(p.api.NetworkRemove(t.Context(), edge))
		h.want(h.sync(), reconcile.Applied)
		h.gateRuns()
		h.settled()
	})
	t.Run("needed by one that has stopped", func(t *testing.T) {
		h, other := p.host(t), p.host(t)
		h.deploy(behindGate("18084"))
		h.want(h.sync(), reconcile.Applied)
		other.deploy(behindGate("18085"))
		other.want(other.sync(), reconcile.Applied)
		was, err := p.api.NetworkInspect(t.Context(), edge, network.InspectOptions{})
		h.must(err)
		p.stopGates(t)
		other.deploy("services: {web: {image: IMAGE}}\n")
		other.want(other.sync(), reconcile.Applied)
		is, err := p.api.NetworkInspect(t.Context(), edge, network.InspectOptions{})
		h.must(err)
		if is.ID != was.ID {
			t.Error("it was made anew")
		}
		h.want(h.sync(), reconcile.Applied)
		h.gateRuns()
	})
}

// stopGates stops every gate on the engine.
func (p *private) stopGates(t *testing.T) {
	t.Helper()
	list, err := p.api.ContainerList(t.Context(), container.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Labels["io.syncd.gate"] == "" {
			continue
		}
		if err := p.api.ContainerStop(t.Context(), c.ID, container.StopOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// post asks the engine for something that its client would not.
func (p *private) post(path, body string) {
	p.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(p.address, "unix://"))
	}}}
	defer client.CloseIdleConnections()
	res, err := client.Post("http://docker/v1.41"+path, "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusBadRequest {
		p.t.Fatalf("%s: %s", path, res.Status)
	}
}
