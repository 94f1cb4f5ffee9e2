package docker

import (
	"syncd.io/syncd/internal/spec"
)

// younger is a setting that engines before a version drop without a word.
type younger struct {
	api, engine, field string
	used               func(spec.Container) bool
}

func youngerSettings() []younger {
	return []younger{
		{"1.43", "24.0", "annotations", func(c spec.Container) bool { return len(c.Annotations) > 0 }},
		{"1.44", "25.0", "healthcheck.start_interval", func(c spec.Container) bool { return c.Healthcheck != nil && c.Healthcheck.StartInterval != 0 }},
		{"1.44", "25.0", "networks.mac_address beyond the first network", secondMAC},
		{"1.45", "26.0", "volumes.volume.subpath", func(c spec.Container) bool { return subpathOf(c, "volume") }},
		{"1.48", "28.0", "volumes of type image", func(c spec.Container) bool { return mountOf(c, "image") }},
		{"1.48", "28.0", "networks.gw_priority", func(c spec.Container) bool {
			return anyEndpoint(c, func(e spec.Endpoint) bool { return e.GwPriority != 0 })
		}},
	}
}

// supports refuses settings that this engine does not know. Errors: Rejected
// with the field.
func (e *Engine) supports(c spec.Container) error {
	for _, n := range youngerSettings() {
		if n.used(c) && !e.knows(n.api) {
			return rejected("take the setting out, or update the engine",
				"service %s: %s needs Docker %s or newer (API %s; this engine speaks %s)", c.Service, n.field, n.engine, n.api, e.api.ClientVersion())
		}
	}
	return nil
}

func secondMAC(c spec.Container) bool {
	for i, e := range byPriority(c.Networks) {
		if e.MacAddress != "" && (i > 0 || c.NetworkMode != "") {
			return true
		}
	}
	return false
}

func anyEndpoint(c spec.Container, is func(spec.Endpoint) bool) bool {
	for _, e := range c.Networks {
		if is(e) {
			return true
		}
	}
	return false
}

func mountOf(c spec.Container, kind string) bool {
	for _, m := range c.Mounts {
		if m.Type == kind {
			return true
		}
	}
	return false
}

func subpathOf(c spec.Container, kind string) bool {
	for _, m := range c.Mounts {
		if m.Type == kind && m.Subpath != "" {
			return true
		}
	}
	return false
}
