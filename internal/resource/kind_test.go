package resource

import "testing"

func TestKindsAreNamedWithForeignGroupsOnly(t *testing.T) {
	for _, c := range []struct{ group, kind, want string }{
		{"", "Secret", "Secret"},
		{"networking.k8s.io", "Ingress", "Ingress"},
		{"gateway.networking.k8s.io", "Gateway", "Gateway.gateway.networking.k8s.io"},
		{"cert-manager.io", "Certificate", "Certificate.cert-manager.io"},
	} {
		if got := KindOf(c.group, c.kind); got != c.want {
			t.Errorf("KindOf(%q, %q) = %s, want %s", c.group, c.kind, got, c.want)
		}
	}
}
