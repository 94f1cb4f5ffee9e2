package docker

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func TestNoNetworkBehindAGateSortsBeforeTheEdge(t *testing.T) {
	for _, c := range []struct {
		network      string
		gate, refuse bool
	}{
		{"shop_default", true, false},
		{"0_default", true, false},
		{"00-app_default", true, false},
		{"0-app_default", true, true},
		{"0", true, true},
		{"0-app_default", false, false},
	} {
		target := &Target{wanted: map[resource.Key]resource.Object{}}
		want := func(kind string, v any) {
			raw, err := resource.Canonical(v)
			if err != nil {
				t.Fatal(err)
			}
			key := resource.Key{Kind: kind, Namespace: "web", Name: "1"}
			target.wanted[key] = resource.Object{Key: key, Spec: raw}
		}
		want(spec.KindContainer, spec.Container{Service: "web", Networks: []spec.Endpoint{{Network: "default", Name: c.network}}})
		if c.gate {
			want(spec.KindRoute, spec.Route{Service: "web", Mode: "tcp"})
		}
		err := target.behindEdge()
		if c.refuse != (fault.Of(err) == fault.Rejected) || c.refuse && !strings.Contains(err.Error(), c.network+" sorts before "+edgeName) {
			t.Errorf("network %s, gate %t: %v", c.network, c.gate, err)
		}
	}
}
