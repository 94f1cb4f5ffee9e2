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
