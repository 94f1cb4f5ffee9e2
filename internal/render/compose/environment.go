package compose

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/spec"
)

// environmentOf merges env_file and environment, which wins. A name without a
// value takes the host's, and is dropped where the host has none.
func (a *app) environmentOf(s types.ServiceConfig, c *spec.Container) error {
	vars := map[string]string{}
	for _, f := range s.EnvFiles {
		name, err := a.envName(s, f)
		if err != nil {
			return err
		}
		if name == "" {
			continue
		}
		if err := a.readEnv(envFile{name: name, raw: f.Format == "raw"}, vars, a.serviceLookup(s)); err != nil {
			return a.reject(s.Name, "env_file", fault.Advice(err), "%w", err)
		}
	}
	for name, value := range s.Environment {
		if value != nil {
			vars[name] = *value
		} else if v, ok := a.env[name]; ok {
			vars[name] = v
		}
	}
	c.Environment = filled(vars)
	return nil
}

// envName returns the repository path of an env file, "" for an optional one
// that is not there.
func (a *app) envName(s types.ServiceConfig, f types.EnvFile) (string, error) {
	name, ok := a.repo.Rel(f.Path)
	switch {
	case !ok:
		return "", a.reject(s.Name, "env_file", "files outside the repository are declared in `host.envFiles` of syncd.yaml", "%s: %w", f.Path, repo.ErrOutside)
	case f.Format != "" && f.Format != "raw":
		return "", a.reject(s.Name, "env_file", "", "%s: format %q is neither raw nor left out", name, f.Format)
	case a.repo.Exists(name):
		return name, nil
	case bool(f.Required):
		return "", a.reject(s.Name, "env_file", "`required: false` makes it optional; a file that is not in Git is declared in `host.envFiles` of syncd.yaml", "%s does not exist in the repository", name)
	}
	return "", nil
}

// serviceLookup is what references in an env file see: the host's values, then
// the service's environment.
func (a *app) serviceLookup(s types.ServiceConfig) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if v, ok := a.env[name]; ok {
			return v, true
		}
		if v := s.Environment[name]; v != nil {
			return *v, true
		}
		return "", false
	}
}

// labelsOf merges label_file and labels, which win.
func (a *app) labelsOf(s types.ServiceConfig, c *spec.Container) error {
	labels := map[string]string{}
	for _, f := range s.LabelFiles {
		name, ok := a.repo.Rel(f)
		if !ok {
			return a.reject(s.Name, "label_file", "", "%s: %w", f, repo.ErrOutside)
		}
		err := a.readEnv(envFile{name: name}, labels, func(string) (string, bool) { return "", false })
		if err != nil {
			return a.reject(s.Name, "label_file", fault.Advice(err), "%w", err)
		}
	}
	maps.Copy(labels, s.Labels)
	if name := reservedIn(labels); name != "" {
		return a.reject(s.Name, "labels", "", "%s: this label is the engine's and syncd's own", name)
	}
	c.Labels = filled(labels)
	return nil
}

// reservedIn returns the first reserved label, in their order; "" where there is
// none.
func reservedIn(labels map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if reserved(name) {
			return name
		}
	}
	return ""
}

// reserved tells of labels that say whose a container is: a repository must not
// claim another project's.
func reserved(label string) bool {
	return strings.HasPrefix(label, "com.docker.compose.") || strings.HasPrefix(label, "io.syncd.") || strings.HasPrefix(label, "desktop.docker.io/")
}
