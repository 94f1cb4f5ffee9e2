package reconcile

import (
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// secretsDir is where Compose mounts secrets.
const secretsDir = "/run/secrets/"

// tellSecrets says which secrets a rollback brings back in an older form: what
// was rotated since then may no longer be accepted.
func (p *pass) tellSecrets(from, to state.Set) {
	if names := olderSecrets(from.Objects, to.Objects); len(names) > 0 {
		p.result.Notes = append(p.result.Notes, "the rollback brings back an older form of "+strings.Join(names, ", "))
	}
}

// olderSecrets names the secrets that both sets mount, with different content.
func olderSecrets(from, to []resource.Object) []string {
	before := mountedSecrets(to)
	var names []string
	for target, source := range mountedSecrets(from) {
		if old, both := before[target]; both && old != source {
			names = append(names, "secret "+strings.TrimPrefix(target, secretsDir))
		}
	}
	slices.Sort(names)
	return names
}

// mountedSecrets returns the sources of secrets by where they are mounted.
func mountedSecrets(objects []resource.Object) map[string]string {
	out := map[string]string{}
	for _, c := range containers(objects) {
		for _, m := range c.Mounts {
			if strings.HasPrefix(m.Target, secretsDir) {
				out[m.Target] = m.Source
			}
		}
	}
	return out
}
