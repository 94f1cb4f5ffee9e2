package compose

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/format"
	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// content checks what compose-go must not see: paths that leave the
// repository, and ranges that would be spread out in memory.
func (s *scanner) content(file string, tree map[string]any, at place) error {
	services := mapAt(tree, "services")
	if limit := s.app.req.MaxObjects; len(services) > limit {
		return mistake.Rejected("`limits.objects` in syncd.yaml raises the limit", "%s: %d services are more than the limit of %d objects", file, len(services), limit)
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service, _ := services[name].(map[string]any)
		c := contentOf{scanner: s, place: at, kind: "service", section: "services", name: name, file: file}
		if err := c.service(service); err != nil {
			return err
		}
	}
	for _, section := range []string{"configs", "secrets"} {
		entries := mapAt(tree, section)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			entry, _ := entries[name].(map[string]any)
			c := contentOf{scanner: s, place: at, kind: strings.TrimSuffix(section, "s"), section: section, name: name, file: file}
			if err := c.object(entry); err != nil {
				return err
			}
		}
	}
	volumes := mapAt(tree, "volumes")
	for _, name := range slices.Sorted(maps.Keys(volumes)) {
		c := contentOf{scanner: s, place: at, kind: "volume", section: "volumes", name: name, file: file}
		device, _ := mapAt(mapAt(volumes, name), "driver_opts")["device"].(string)
		if c.ofHost(device) || !strings.HasPrefix(device, ".") && !strings.HasPrefix(device, "~") {
			continue
		}
		if err := c.inside("driver_opts.device", device, "write an absolute path"); err != nil {
			return err
		}
	}
	return nil
}

// contentOf checks one service, config, secret or volume.
type contentOf struct {
	scanner             *scanner
	place               place
	kind, section, name string
	file                string
}

func (c contentOf) service(service map[string]any) error {
	c.values(service["environment"])
	if _, ok := service["models"]; ok {
		return c.rejected("models", "run the model as a service", "not supported")
	}
	for _, f := range envPaths(service["env_file"]) {
		if err := c.inside("env_file", f, "files outside the repository are declared in `host.envFiles` of syncd.yaml"); err != nil {
			return err
		}
	}
	for _, f := range texts(service["label_file"]) {
		if err := c.inside("label_file", f, ""); err != nil {
			return err
		}
	}
	list, _ := service["volumes"].([]any)
	for _, v := range list {
		if err := c.volume(v); err != nil {
			return err
		}
	}
	return c.ranges(service)
}

// values notes the names without a value, which take the host's.
func (c contentOf) values(environment any) {
	switch v := environment.(type) {
	case []any:
		for _, name := range texts(v) {
			if !strings.Contains(name, "=") {
				c.scanner.app.variables.note(name)
			}
		}
	case map[string]any:
		for name, value := range v {
			if value == nil {
				c.scanner.app.variables.note(name)
			}
		}
	}
}

// object checks a config or a secret. Absolute files are the host's.
func (c contentOf) object(entry map[string]any) error {
	if name, ok := entry["environment"].(string); ok {
		c.scanner.app.variables.note(name)
	}
	f, _ := entry["file"].(string)
	if f == "" || c.ofHost(f) {
		return nil
	}
	return c.inside("file", f, "write an absolute path for a file of the host")
}

func (c contentOf) volume(v any) error {
	var kind, source string
	switch v := v.(type) {
	case string:
		parsed, err := format.ParseVolume(v)
		if err != nil {
			return c.rejected("volumes", "", "%s: %w", v, err)
		}
		kind, source = parsed.Type, parsed.Source
	case map[string]any:
		kind, _ = v["type"].(string)
		source, _ = v["source"].(string)
	}
	if kind != types.VolumeTypeBind || c.ofHost(source) {
		return nil
	}
	return c.inside("volumes", source, "write an absolute path for a directory of the host")
}

// ofHost remembers an absolute path, which is the host's.
func (c contentOf) ofHost(written string) bool {
	if !path.IsAbs(written) {
		return false
	}
	c.scanner.app.absolute[path.Clean(written)] = true
	return true
}

// inside checks a relative path.
func (c contentOf) inside(field, written, hint string) error {
	if strings.HasPrefix(written, "~") {
		return c.rejected(field, "write an absolute path", "%s: ~ has no meaning here: syncd acts for no user", written)
	}
	if _, err := repo.Join(c.place.dir, written); err != nil {
		return c.rejected(field, hint, "%s: %w", written, err)
	}
	return nil
}

func (c contentOf) rejected(field, hint, format string, args ...any) error {
	where := c.scanner.app.index.at(c.section, c.name, field)
	if !strings.HasPrefix(where, c.file+":") {
		where = c.file
	}
	return mistake.Rejected(hint, "%s: %s %s: %s: "+format, append([]any{where, c.kind, c.name, field}, args...)...)
}

// ranges bounds the ports of a service before they are spread out.
func (c contentOf) ranges(service map[string]any) error {
	for _, field := range []string{"ports", "expose"} {
		list, _ := service[field].([]any)
		total := 0
		for _, entry := range list {
			if m, ok := entry.(map[string]any); ok {
				entry = m["published"]
			}
			text, _ := entry.(string)
			if total += widest(text); total > maxPorts {
				return c.rejected(field, "a gate or the host's network serves wide ranges better", "%s: more than %d ports", text, maxPorts)
			}
		}
	}
	return nil
}

// widest returns the size of the widest range in "ip:1000-2000:1-1001/tcp", at
// least 1.
func widest(text string) int {
	most := 1
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ':' || r == '/' }) {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			continue
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA == nil && errB == nil && b >= a {
			most = max(most, min(b-a+1, maxPorts+1))
		}
	}
	return most
}

// envPaths returns the paths of env_file in each of its forms.
func envPaths(v any) []string {
	out := texts(v)
	list, _ := v.([]any)
	for _, entry := range list {
		if m, ok := entry.(map[string]any); ok {
			if p, ok := m["path"].(string); ok {
				out = append(out, p)
			}
		}
	}
	return out
}
