package reconcile

import (
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// secrets are the values that only this host has and nobody may read.
func (c *catalog) secrets() []string {
	if c == nil {
		return nil
	}
	out := make([]string, 0, len(c.secret))
	for _, name := range c.secret {
		out = append(out, c.values[name])
	}
	return out
}

// ownedBy is what is an app's own on the target.
func ownedBy(rec state.Record, c *catalog) apply.Owned {
	return apply.Owned{App: rec.App, Adopted: rec.Adopted, Secrets: c.secrets(), As: c.account(rec), Notes: rec.Target}
}

// comparing is what a comparison has to know of an app: the jobs that are done,
// and what must not be shown, because it is or was a secret.
func comparing(rec state.Record, c *catalog) drift.Options {
	opts := drift.Options{Done: doneJobs(rec), Sensitive: map[resource.Key][]string{}, Secrets: c.secrets(), Ignore: rulesOf(c.settings(rec).Drift)}
	for i := range rec.Past { // nothing is copied: each look at each app comes here
		addSensitive(opts.Sensitive, rec.Past[i].Objects)
	}
	if rec.Good != nil {
		addSensitive(opts.Sensitive, rec.Good.Objects)
	}
	if rec.Attempt != nil {
		addSensitive(opts.Sensitive, rec.Attempt.Set.Objects)
	}
	return opts
}

// addSensitive adds what must not be shown of objects.
func addSensitive(to map[resource.Key][]string, objects []resource.Object) {
	for i := range objects {
		if o := &objects[i]; len(o.Sensitive) > 0 {
			to[o.Key] = append(to[o.Key], o.Sensitive...)
		}
	}
}

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
