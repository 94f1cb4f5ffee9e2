package docker

import (
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

const (
	// longestSecret bounds how much of a mounted secret is read, in bytes.
	longestSecret = 4 << 10

	secretsDir = "/run/secrets/"
)

// healthOf is health with the container's own secrets masked: a probe's output
// may repeat them.
func (t *Target) healthOf(key resource.Key, in container.InspectResponse) resource.Health {
	once := t.isOnce(key, in.Config.Labels)
	h := health(in, once)
	if h.Reason == "" || silent(in.State) {
		return h
	}
	base := *in.ContainerJSONBase
	base.State = concealed(base.State, t.concealer(key, in))
	in.ContainerJSONBase = &base
	return health(in, once)
}

// silent tells whether no program said anything that could hold a secret: finding
// a container's secrets costs more than its verdict.
func silent(s *container.State) bool {
	said := func(r *container.HealthcheckResult) bool { return r != nil && r.Output != "" }
	return s.Error == "" && (s.Health == nil || !slices.ContainsFunc(s.Health.Log, said))
}

// concealed returns a copy of s without secrets in what programs said: while it is
// whole, for of one that was cut only a part would be found.
func concealed(s *container.State, conceal *strings.Replacer) *container.State {
	out := *s
	out.Error = conceal.Replace(s.Error)
	if s.Health == nil {
		return &out
	}
	probes := *s.Health
	probes.Log = make([]*container.HealthcheckResult, len(s.Health.Log))
	for i, r := range s.Health.Log {
		if r != nil {
			said := *r
			said.Output = conceal.Replace(r.Output)
			probes.Log[i] = &said
		}
	}
	out.Health = &probes
	return &out
}

// concealer masks, in what a container said, every secret that it was given.
func (t *Target) concealer(key resource.Key, in container.InspectResponse) *strings.Replacer {
	return resource.Concealer(t.secretsOf(key, in))
}

// secretsOf are the secrets that a container was given: by its environment, by the
// spec that is wanted in its slot, by mounted secrets; and those of the host, of
// which it may have got one as a part of something else.
func (t *Target) secretsOf(key resource.Key, in container.InspectResponse) []string {
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
	return append(secrets, t.engine.mountedSecrets(in)...)
}

// mountedSecrets reads the container's secret files, where they lie on this host,
// those that were materialised where this process has them. What cannot be read here cannot be masked.
func (e *Engine) mountedSecrets(in container.InspectResponse) []string {
	e.mu.Lock()
	seen := deref(e.mounts)
	e.mu.Unlock()
	var out []string
	for _, m := range in.Mounts {
		if !strings.HasPrefix(m.Destination, secretsDir) && !resource.SecretName(path.Base(m.Destination)) {
			continue
		}
		source := filepath.Clean(m.Source)
		if rest, materialised := below(seen, source); seen != "" && materialised {
			source = filepath.Join(e.opts.Mounts, rest)
		}
		if text, err := head(source); err == nil {
			out = append(out, text)
		}
	}
	return out
}

// head reads the beginning of a regular file. Opening does not wait, as it would
// for the other end of a pipe.
func head(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read %s: no regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, longestSecret))
	return string(text), err
}
