package endtoend_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// neighbourly is a service behind a gate that answers to its name, on a port that
// needs a privilege outside of containers, and a neighbour that asks for it there.
const neighbourly = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1", APP_HEALTHY_AFTER: 500ms, APP_LISTEN: ":80"}
    ports: ["PORT:80"]
    x-syncd: {gate: {mode: MODE, alias: true}, drain: 2s}
    deploy: {update_config: {order: ORDER}, rollback_config: {order: ORDER}}
    networks: {front: {aliases: [shop]}, back: {}}
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:80/healthz"], interval: 100ms, retries: 10}
  near:
    image: IMAGE
    environment: {APP_ASK: "http://shop/"}
    ports: ["NEAR:8080"]
    networks: [front]
  inner:
    image: IMAGE
    environment: {APP_ASK: "http://web:80/"}
    ports: ["INNER:8080"]
    networks: [back, out]
networks: {front: {}, back: {internal: true}, out: {}}
`

// asked is what a neighbour tells: how often it asked, and in vain, and what it
// heard.
type asked struct {
	total, lost        int
	last, heard, error string
}

func (h *host) told(port string) (a asked) {
	h.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + port + "/asked")
	h.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	h.must(err)
	if _, err := fmt.Sscan(string(body), &a.total, &a.lost, &a.last, &a.heard); err != nil {
		h.t.Fatalf("the neighbour tells %q: %v", body, err)
	}
	a.error = strings.TrimSpace(string(body))
	return a
}

// A gate that answers to its service's name loses nothing of what neighbours ask,
// and they reach no container past it.
func TestNeighboursLoseNothingBehindAGateWithAlias(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ mode, order string }{
		"connections": {"tcp", "start-first"},
		"requests":    {"http", "start-first"},
		"held":        {"tcp", "stop-first"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			ports := []string{freePort(t), freePort(t)}
			compose := strings.NewReplacer("PORT", freePort(t), "NEAR", ports[0], "INNER", ports[1], "MODE", c.mode, "ORDER", c.order).Replace(neighbourly)
			h.deploy(compose)
			h.want(h.sync(), reconcile.Applied)
			h.settled()
			both := func(what string, ok func(port string) bool) {
				t.Helper()
				dockertest.Eventually(t, what, func() bool { return !slices.ContainsFunc(ports, func(p string) bool { return !ok(p) }) })
			}
			hears := func(version string) {
				t.Helper()
				both("the neighbours hear "+version, func(p string) bool { return h.told(p).last == version })
			}
			hears("1")
			for _, network := range h.one("web").NetworkSettings.Networks {
				if slices.Contains(network.Aliases, "web") || slices.Contains(network.Aliases, "shop") {
					t.Errorf("the container answers to %q itself", network.Aliases)
				}
			}
			h.deploy(strings.Replace(compose, `APP_VERSION: "1"`, `APP_VERSION: "2"`, 1))
			h.want(h.sync(), reconcile.Applied)
			hears("2")
			h.deploy(strings.Replace(compose, `APP_VERSION: "1", APP_HEALTHY_AFTER: 500ms`, `APP_VERSION: "3", APP_UNHEALTHY: "yes"`, 1))
			h.want(h.sync(), reconcile.RolledBack)
			for _, p := range ports {
				a := h.told(p)
				if a.lost > 0 || a.last != "2" || strings.Contains(a.heard, "3") {
					t.Errorf("a neighbour lost %d of %d requests and heard %s; it tells %s", a.lost, a.total, a.heard, a.error)
				}
				t.Logf("a neighbour asked %d times, lost %d and heard %s", a.total, a.lost, a.heard)
			}
		})
	}
}

// Who answers to a name is drift like any other, and changes with the file.
func TestAGateTakesANameAndGivesItBack(t *testing.T) {
	t.Parallel()
	named := gateImaged(t) // first: it is removed after the containers
	h := newHost(t)
	published, near := freePort(t), freePort(t)
	compose := strings.NewReplacer("PORT", published, "NEAR", near, "INNER", freePort(t), "MODE", "tcp", "ORDER", "start-first").Replace(neighbourly)
	plain := strings.Replace(compose, "alias: true", "alias: false", 1)
	gate := h.project + "-web-gate-" + strings.ReplaceAll(published, ":", "-")
	answered := func(when string, byGate bool) {
		t.Helper()
		h.settled()
		in, err := h.api.ContainerInspect(t.Context(), gate)
		h.must(err)
		front := in.NetworkSettings.Networks[h.project+"_front"]
		if got := front != nil && slices.Contains(front.Aliases, "shop"); got != byGate {
			t.Errorf("%s: the gate answers to the name: %t, want %t", when, got, byGate)
		}
		if got := slices.Contains(h.one("web").NetworkSettings.Networks[h.project+"_front"].Aliases, "shop"); got == byGate {
			t.Errorf("%s: the container answers to the name: %t, want %t", when, got, !byGate)
		}
		before := h.told(near).total
		dockertest.Eventually(t, when+": the neighbour is answered", func() bool {
			a := h.told(near)
			return a.total-a.lost > before+10
		})
	}
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	answered("without", false)
	h.deploy(compose)
	if _, said := h.planOf("web"); !strings.Contains(said, "in its networks the gate answers to shop, web, too") {
		t.Errorf("the plan says %s", said)
	}
	h.want(h.sync(), reconcile.Applied)
	answered("with", true)
	h.must(h.api.NetworkDisconnect(t.Context(), h.project+"_front", gate, true))
	h.want(h.sync(), reconcile.Applied)
	answered("after the gate lost a network", true)
	h.must(h.api.ContainerRemove(t.Context(), gate, container.RemoveOptions{Force: true}))
	h.want(h.sync(), reconcile.Applied)
	answered("after the gate was removed", true)
	h.gateImage = named
	agent, done := h.agent()
	did, err := h.upgrade(agent, true)
	done()
	if h.must(err); len(did.Renewed) != 1 || did.Renewed[0].To.Image != h.gateImage {
		t.Errorf("the upgrade did %+v", did)
	}
	answered("after the gate was upgraded", true)
	h.deploy(strings.Replace(compose, "front: {}, back", "front: {labels: {a: b}}, back", 1))
	h.want(h.sync(), reconcile.Applied)
	answered("after the network was made anew", true)
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	answered("without again", false)
}
