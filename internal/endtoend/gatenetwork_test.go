package endtoend_test

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/reconcile"
)

// A gate reaches its service over one of its networks. Whichever that is, nothing
// is lost when the service leaves it or is known there by another name.
func TestNothingIsLostWhenAServiceChangesItsNetworks(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	on := func(networks string) {
		t.Helper()
		compose := strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
		h.deploy(compose + "    networks: {" + networks + "}\nnetworks: {admin: {}, back: {}}\n")
		h.want(h.sync(), reconcile.Applied)
	}
	on("admin: {}, default: {priority: 9}")
	l := loaded(t, port, 20*time.Millisecond)
	for _, networks := range []string{"default: {priority: 9}", "default: {aliases: [shop]}", "back: {}, default: {}", "back: {}"} {
		on(networks)
		wait := l.slowly(1, 0)
		wait()
		got := l.turn()
		t.Logf("%s: %s", networks, &got)
		if len(got.lost) > 0 {
			t.Errorf("%s: %d requests lost: %s", networks, len(got.lost), got.lost[0])
		}
	}
	h.settled()
}

// A gate that cannot reach its service any more is put back on a network of it.
func TestAGateComesBackToItsServicesNetwork(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	h.deploy(strings.NewReplacer("PORT", port, "MODE", "http", "ORDER", "start-first").Replace(gated))
	h.want(h.sync(), reconcile.Applied)
	gate := h.project + "-web-gate-" + strings.ReplaceAll(port, ":", "-")
	h.must(h.api.NetworkDisconnect(t.Context(), h.project+"_default", gate, true))
	h.want(h.sync(), reconcile.Applied)
	h.asked(port)
	h.settled()
	if _, err := h.api.NetworkInspect(t.Context(), "0-syncd-edge", network.InspectOptions{}); err != nil {
		t.Errorf("the network of gates is gone: %v", err)
	}
}
