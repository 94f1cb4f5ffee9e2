package compose

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/nearest"
	"syncd.io/syncd/internal/resource"
)

// xSyncdKey is syncd's own extension of a service.
const xSyncdKey = "x-syncd"

// extensionKeys are the keys of x-syncd.
func extensionKeys() []string {
	return []string{"canary", "drain", "gate", "job", "proxyProtocol", "sticky"}
}

// extensionOf is a service's x-syncd.
type extensionOf struct {
	// Job makes it a one-shot.
	Job bool
	gateOf
	// Drain is how long an old instance may finish what it has begun: its gate
	// waits for that at most, and without one the instance is stopped only then.
	Drain time.Duration
	// ProxyProtocol (tcp) tells the service the client's address; Sticky (http)
	// keeps a client at its instance.
	ProxyProtocol, Sticky bool
	// Canary (http) gives a new version a part of the requests first.
	Canary *resource.Canary
}

// extension decodes x-syncd strictly: an unknown key is an error.
func (a *app) extension(s types.ServiceConfig) (extensionOf, error) {
	var out extensionOf
	raw, ok := s.Extensions[xSyncdKey]
	if !ok || raw == nil {
		return a.orOfApp(out), nil
	}
	m, ok := raw.(map[string]any)
	if !ok {
		return out, a.reject(s.Name, xSyncdKey, "write `x-syncd: {job: true}`", "not a mapping of keys to values")
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := a.extensionKey(s.Name, key, m[key], &out); err != nil {
			return out, err
		}
	}
	out = a.orOfApp(out)
	return out, a.fitting(s.Name, out)
}

// fitting refuses what the gate's mode does not have.
func (a *app) fitting(service string, x extensionOf) error {
	switch {
	case x.Drain > 0 && x.Job:
		return a.reject(service, xSyncdKey+".drain", "", "a one-shot serves nobody")
	case x.ProxyProtocol && x.Gate != "tcp":
		return a.reject(service, xSyncdKey+".proxyProtocol", "in http the service gets X-Forwarded-For", "it needs `gate: tcp`")
	case x.Canary != nil && x.Gate != "http":
		return a.reject(service, xSyncdKey+".canary", "", "it needs `gate: http`")
	case x.Sticky && x.Gate != "http":
		return a.reject(service, xSyncdKey+".sticky", "", "it needs `gate: http`")
	}
	return nil
}

func (a *app) extensionKey(service, key string, value any, out *extensionOf) error {
	field := xSyncdKey + "." + key
	switch key {
	case "job", "proxyProtocol", "sticky":
		is, ok := value.(bool)
		if !ok {
			return a.reject(service, field, "", "%v is neither true nor false", value)
		}
		*map[string]*bool{"job": &out.Job, "proxyProtocol": &out.ProxyProtocol, "sticky": &out.Sticky}[key] = is
	case "gate":
		return a.gate(service, value, &out.gateOf)
	case "canary":
		c, err := canaryOf(value)
		if err != nil {
			return a.reject(service, field, "write `canary: {share: 10, for: 10m}`", "%w", err)
		}
		out.Canary = c
	case "drain":
		text, _ := value.(string)
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 || d > time.Hour {
			return a.reject(service, field, "", "%v is no time between 1ns and 1h, such as 30s", value)
		}
		out.Drain = d
	default:
		return a.reject(service, field, meant(key), "unknown key; x-syncd has %s", strings.Join(extensionKeys(), ", "))
	}
	return nil
}

// meant suggests the key of x-syncd that a person had in mind.
func meant(key string) string {
	near := nearest.Word(key, extensionKeys())
	if near == "" {
		return ""
	}
	return "did you mean " + near + "?"
}
