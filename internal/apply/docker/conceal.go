package docker

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

const (
	// shortestSecret is the length below which a value is too common a text to be
	// looked for in others.
	shortestSecret = 4
	// longestSecret bounds how much of a mounted secret is read, in bytes.
	longestSecret = 4 << 10

	secretsDir = "/run/secrets/"
)

// healthOf is health with the container's own secrets masked: a probe's output
// may repeat them.
func (t *Target) healthOf(key resource.Key, in container.InspectResponse) resource.Health {
	h := health(in, t.isOnce(key, in.Config.Labels))
	if h.Reason != "" {
		h.Reason = t.concealer(key, in).Replace(h.Reason)
	}
	return h
}

// concealer masks, in what a container said, every secret that it was given: by
// its environment, by the spec that is wanted in its slot, by mounted secrets; and
// those of the host, of which it may have got one as a part of something else.
func (t *Target) concealer(key resource.Key, in container.InspectResponse) *strings.Replacer {
	t.mu.Lock()
	want, secrets := t.wanted[key], slices.Clone(t.secrets)
	t.mu.Unlock()
	secrets = append(secrets, drift.Secrets(want.Spec, want.Sensitive)...)
	for _, line := range in.Config.Env {
		name, value, _ := strings.Cut(line, "=")
		if resource.SecretName(name) || resource.SecretValue(value) {
			secrets = append(secrets, value)
		}
	}
	return replacer(append(secrets, mountedSecrets(in)...))
}

// replacer replaces longer secrets first: one may be part of another.
func replacer(secrets []string) *strings.Replacer {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if s = strings.TrimSpace(s); len(s) >= shortestSecret {
			pairs = append(pairs, s, resource.Mask)
		}
	}
	return strings.NewReplacer(pairs...)
}

// mountedSecrets reads the container's secret files where they lie on this
// host. What cannot be read here cannot be masked.
func mountedSecrets(in container.InspectResponse) []string {
	var out []string
	for _, m := range in.Mounts {
		if !strings.HasPrefix(m.Destination, secretsDir) {
			continue
		}
		if text, err := head(filepath.Clean(m.Source)); err == nil {
			out = append(out, text)
		}
	}
	return out
}

func head(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestSecret))
	return string(text), err
}
