package endtoend_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/reconcile"
)

const networked = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    networks: [back]
    PROBE
  db:
    image: IMAGE
    networks: [back]
    PROBE
  alone:
    image: IMAGE
    PROBE
networks:
  back: {internal: false}
`

func (h *host) network(name string) network.Inspect {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n, err := h.api.NetworkInspect(ctx, name, network.InspectOptions{})
	h.must(err)
	return n
}

func TestChangedNetworkIsMadeAnewWithItsContainers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(networked)
	h.want(h.sync(), reconcile.Applied)
	alone, db := h.one("alone").ID, h.one("db").ID
	internal := strings.Replace(networked, "internal: false", "internal: true", 1)

	h.deploy(strings.Replace(internal, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	h.want(h.sync(), reconcile.RolledBack)
	if h.network(h.project + "_back").Internal {
		t.Error("the network of the failed revision is still there")
	}
	for _, service := range []string{"web", "db"} {
		if c := h.one(service); !c.State.Running || c.NetworkSettings.Networks[h.project+"_back"] == nil {
			t.Errorf("%s is %s and not on its network", service, c.State.Status)
		}
	}
	if got := env(h.one("web"), "APP_VERSION"); got != "1" {
		t.Errorf("version %s runs, want 1", got)
	}

	h.deploy(internal)
	h.want(h.sync(), reconcile.Applied)
	if !h.network(h.project + "_back").Internal {
		t.Error("the network is the old one")
	}
	if h.one("db").ID == db {
		t.Error("a container on the network was not made anew")
	}
	if h.one("alone").ID != alone {
		t.Error("a container that is not on the network was touched")
	}
	h.settled()
}

const anchored = `
services:
  db:
    image: IMAGE
    container_name: PROJECT-fixed
    environment: {APP_VERSION: "1", APP_WRITE: /data/born}
    volumes: [/data]
    networks: {back: {ipv4_address: NET.7}}
    PROBE
  web:
    image: IMAGE
    depends_on: [db]
    networks: [back]
    PROBE
networks:
  back: {internal: false, ipam: {config: [{subnet: NET.0/24}]}}
`

// What stood on a network that is made anew is put once more, and loses nothing:
// not what it wrote where only it knows, not its name, not its address.
func TestNetworkMadeAnewKeepsWhatItsContainersHold(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	first, second := subnet(), subnet()
	compose := strings.ReplaceAll(anchored, "NET", first)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	born := h.read(h.one("db").ID, "/data/born")
	holds := func(when, net string) {
		t.Helper()
		c := h.one("db")
		if got := h.read(c.ID, "/data/born"); got != born {
			t.Errorf("%s: its data was born %s, want %s", when, got, born)
		}
		if c.Name != "/"+h.project+"-fixed" || !c.State.Running {
			t.Errorf("%s: %s is %s, want %s-fixed running", when, c.Name, c.State.Status, h.project)
		}
		n := h.network(h.project + "_back")
		if e := c.NetworkSettings.Networks[n.Name]; e == nil || e.IPAddress != net+".7" || e.NetworkID != n.ID {
			t.Errorf("%s: on its network it is %+v, want %s.7", when, e, net)
		}
		if web := h.one("web"); web.NetworkSettings.Networks[n.Name] == nil || web.NetworkSettings.Networks[n.Name].NetworkID != n.ID {
			t.Errorf("%s: web is not on the network", when)
		}
	}

	internal := strings.Replace(compose, "internal: false", "internal: true", 1)
	h.deploy(internal)
	h.want(h.sync(), reconcile.Applied)
	holds("the network alone has changed", first)
	h.settled()

	moved := strings.Replace(strings.ReplaceAll(anchored, "NET", second), `"1"`, `"2"`, 1)
	h.deploy(strings.Replace(moved, `"2"`, `"2", APP_UNHEALTHY: "1"`, 1))
	h.want(h.sync(), reconcile.RolledBack)
	holds("rolled back", first)
	h.deploy(moved)
	h.want(h.sync(), reconcile.Applied)
	holds("network and container have changed", second)
	h.settled()
}
