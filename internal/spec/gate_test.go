package spec_test

import (
	"testing"

	"syncd.io/syncd/internal/spec"
)

func TestPortsThatGoPastGates(t *testing.T) {
	for port, want := range map[spec.Port]string{
		{Published: "80", Protocol: "tcp"}:        "",
		{Published: "53", Protocol: "udp"}:        "it is not TCP",
		{Protocol: "tcp"}:                         "the engine chooses its number on the host",
		{Published: "8000-8002", Protocol: "tcp"}: "each instance publishes its own of 8000-8002",
	} {
		if got := port.PastGates(); got != want {
			t.Errorf("%+v: %q, want %q", port, got, want)
		}
	}
}

func TestContainersThatNoGateGetsTo(t *testing.T) {
	on := func(networks ...string) (c spec.Container) {
		for _, n := range networks {
			c.Networks = append(c.Networks, spec.Endpoint{Network: n})
		}
		return c
	}
	for _, c := range []struct {
		of   spec.Container
		want string
	}{
		{spec.Container{}, ""},
		{on("front", "inner"), ""},
		{on("inner"), "it is on internal networks only, and these are not published"},
		{spec.Container{NetworkMode: "host"}, "it is on the host's network"},
		{spec.Container{NetworkMode: "none"}, "network_mode is none"},
	} {
		if got := c.of.Ungated(func(e spec.Endpoint) bool { return e.Network == "inner" }); got != c.want {
			t.Errorf("%+v: %q, want %q", c.of, got, c.want)
		}
	}
}
