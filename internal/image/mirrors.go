package image

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/image/registry"
)

// everyone is the entry for registries that have none of their own.
const everyone = "*"

// mirrored is a registry that has mirrors.
type mirrored struct {
	registry string
	config.RegistryMirror
	rewrite []rewrite
}

// rewrite is what mirrors call a repository.
type rewrite struct {
	pattern *regexp.Regexp
	to      string
}

// mirrorsOf reads the settings.
func mirrorsOf(r config.Registries) ([]mirrored, error) {
	var out []mirrored
	for _, name := range slices.Sorted(maps.Keys(r.Mirrors)) {
		m := mirrored{registry: name, RegistryMirror: r.Mirrors[name]}
		for pattern, to := range m.Rewrite {
			compiled, err := regexp.Compile(pattern)
			if err != nil {
				return nil, fault.As(fault.Blocked, fmt.Errorf("registries.mirrors.%s.rewrite: %w", name, err))
			}
			m.rewrite = append(m.rewrite, rewrite{compiled, to})
		}
		slices.SortFunc(m.rewrite, func(a, b rewrite) int { // the longest first
			if n := len(b.pattern.String()) - len(a.pattern.String()); n != 0 {
				return n
			}
			return strings.Compare(a.pattern.String(), b.pattern.String())
		})
		out = append(out, m)
	}
	return out, nil
}

// called is what the mirrors call a repository.
func (m mirrored) called(repository string) string {
	for _, r := range m.rewrite {
		if r.pattern.MatchString(repository) {
			return r.pattern.ReplaceAllString(repository, r.to)
		}
	}
	return repository
}

// mirrorOf finds the entry of a registry; the zero value where it has none.
func (f *Finder) mirrorOf(name string) mirrored {
	for _, wanted := range []string{name, everyone} {
		i := slices.IndexFunc(f.mirrors, func(m mirrored) bool { return m.registry == wanted })
		if i >= 0 {
			return f.mirrors[i]
		}
	}
	return mirrored{}
}

// source is one address that is asked, and the repository there.
type source struct {
	name       string
	place      registry.Place
	repository string
}

// sources are all addresses that the agent asks for an image, in order.
func (f *Finder) sources(ref oci.Ref) []source {
	var out []source
	m := f.mirrorOf(ref.Registry)
	for _, address := range m.Endpoint {
		place := f.place(address, ref.Registry)
		out = append(out, source{"mirror " + place.Host(), place, m.called(ref.Repository)})
	}
	if _, own := f.configOf(ref.Registry); (own || f.opts.Direct) && !m.Alone() {
		out = append(out, source{"registry " + ref.Registry, f.place("https://"+ref.Registry, ""), ref.Repository})
	}
	return out
}

// Alone tells whether an engine may not ask an image's own registry itself: it is not
// to be asked, or the agent has done so.
func (f *Finder) Alone(name string) bool {
	ref, err := oci.ParseRef(name)
	if err != nil {
		return true
	}
	m := f.mirrorOf(ref.Registry)
	_, own := f.configOf(ref.Registry)
	return m.Alone() || own
}

// configOf finds how a host is reached.
func (f *Finder) configOf(host string) (config.RegistryConfig, bool) {
	c, ok := f.opts.Registries.Configs[host]
	return c, ok
}

// place is an address with its login and its certificates.
func (f *Finder) place(address, serves string) registry.Place {
	out := registry.Place{URL: address, Serves: serves, Login: f.opts.Login}
	_, host, _ := strings.Cut(address, "://")
	host, _, _ = strings.Cut(host, "/")
	c, known := f.configOf(host)
	if !known {
		return out
	}
	out.CAFile, out.CertFile, out.KeyFile, out.SkipVerify = c.TLS.CAFile, c.TLS.CertFile, c.TLS.KeyFile, c.TLS.InsecureSkipVerify
	if c.Auth.PasswordFile != "" {
		out.Login = func(context.Context, string) (registry.Login, error) {
			password, err := registry.ReadPassword(c.Auth.PasswordFile)
			return registry.Login{Username: c.Auth.Username, Password: password}, err
		}
	}
	return out
}
