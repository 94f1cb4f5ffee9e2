package compose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/spec"
)

// gateField is where a service asks for a gate.
const gateField = xSyncdKey + ".gate"

// gateOf says how a service's published ports are handed from one instance to
// the next.
type gateOf struct {
	// Gate is tcp or http; empty is none.
	Gate string
	// said tells that the service says so itself, none included; otherwise it is
	// the app's word, which binds those only that a gate can serve.
	said bool
	// Alias lets the gate answer to the service's name in its networks.
	Alias bool
}

// gate reads x-syncd.gate: a word, or a mapping of mode and alias.
func (a *app) gate(service string, value any, out *gateOf) error {
	fields, ok := value.(map[string]any)
	if !ok {
		return a.gateMode(service, gateField, value, out)
	}
	out.Gate = cmp.Or(a.ofApp(), "tcp")
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch key {
		case "mode":
			if err := a.gateMode(service, gateField+".mode", fields[key], out); err != nil {
				return err
			}
		case "alias":
			is, ok := fields[key].(bool)
			if !ok {
				return a.reject(service, gateField+".alias", "", "%v is neither true nor false", fields[key])
			}
			out.Alias = is
		default:
			return a.reject(service, gateField+"."+key, "write `gate: {mode: tcp, alias: true}`", "unknown key; x-syncd.gate has alias, mode")
		}
	}
	out.said = true
	if out.Alias && out.Gate == "" {
		return a.reject(service, gateField+".alias", "write `mode: tcp` or `mode: http`", "without a gate nobody but the containers answers")
	}
	return nil
}

func (a *app) gateMode(service, field string, value any, out *gateOf) error {
	mode, _ := value.(string)
	switch mode {
	case "tcp", "http":
		out.Gate = mode
	case "none":
		out.Gate = ""
	default:
		return a.reject(service, field, "write `gate: tcp`, `gate: http` or `gate: none`", "%v is none of tcp, http, none", value)
	}
	out.said = true
	return nil
}

// ofApp is what .syncd.yaml says for all services; empty is none.
func (a *app) ofApp() string {
	if mode := a.req.App.Config.Gate; mode != "none" {
		return mode
	}
	return ""
}

// orOfApp lets the app's word hold where the service says nothing.
func (a *app) orOfApp(x extensionOf) extensionOf {
	if !x.said {
		x.Gate = a.ofApp()
	}
	return x
}

// ungated returns why no gate can serve the service; empty where one can.
func (a *app) ungated(s types.ServiceConfig, c spec.Container) string {
	if a.once[s.Name] {
		return "it is a one-shot"
	}
	return c.Ungated(func(e spec.Endpoint) bool { return a.project.Networks[e.Network].Internal })
}

// noteBypass says what goes past the gate, and why. Nobody asked for one by name
// where it is the app's word: then the note stands at the ports.
func (a *app) noteBypass(service string, x gateOf, what, why string) {
	if x.said {
		a.noteField(service, gateField, "%s bypasses the gate: %s", what, why)
		return
	}
	a.noteField(service, "ports", "%s bypasses the gate (gate: %s in %s): %s", what, x.Gate, a.path(find.Settings), why)
}

// publishes tells whether the service is to be reached from outside, which it is
// on the host's network without saying so.
func publishes(s types.ServiceConfig) bool { return len(s.Ports) > 0 || s.NetworkMode == "host" }

func portText(p spec.Port) string { return fmt.Sprintf("port %d/%s", p.Target, p.Protocol) }
