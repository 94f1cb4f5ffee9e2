package reconcile

import (
	"encoding/json"
	"slices"
	"testing"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// A rollback that brings back an older secret says so.
func TestOlderSecretsAreNamed(t *testing.T) {
	set := func(token, other string) []resource.Object {
		raw, err := json.Marshal(spec.Container{Mounts: []spec.Mount{
			{Type: "bind", Source: "mount:" + token, Target: "/run/secrets/token"},
			{Type: "bind", Source: "mount:" + other, Target: "/etc/other"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return []resource.Object{{Key: resource.Key{Kind: spec.KindContainer, Namespace: "web", Name: "1"}, Spec: raw}}
	}
	if got, want := olderSecrets(set("new", "b"), set("old", "a")), []string{"secret token"}; !slices.Equal(got, want) {
		t.Errorf("older secrets are %v, want %v", got, want)
	}
	if got := olderSecrets(set("same", "b"), set("same", "a")); got != nil {
		t.Errorf("older secrets are %v, want none", got)
	}
}
