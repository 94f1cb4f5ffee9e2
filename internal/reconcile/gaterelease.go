package reconcile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/spec"
)

// releasing gives the ports back that the repository wants no gates for any more.
func releasing(app string) handing {
	return handing{verb: "gate release", begun: "release the gates", meant: toRelease, says: handover.giving,
		none: "no gate publishes a port of app " + app}
}

// toRelease are services whose ports gates publish that nothing asks for.
func toRelease(x *act, h handover) ([]string, error) {
	for _, name := range x.req.Services {
		switch held := h.left(name); {
		case len(held) > 0:
		case slices.Contains(h.gated, name):
			return nil, x.stillAsked(h, name)
		case !slices.Contains(h.all, name):
			if err := standsStill(*h.preview); err != nil {
				return nil, err
			}
			return nil, x.unknown(name, h.all)
		}
	}
	if len(x.req.Services) > 0 {
		return x.req.Services, nil
	}
	if err := standsStill(*h.preview); err != nil {
		return nil, err
	}
	held := h.leftAll()
	if len(held) == 0 && len(h.gated) > 0 {
		return nil, x.stillAsked(h, h.gated...)
	}
	return held, nil
}

// stillAsked says what to write where the repository asks for these gates.
func (x *act) stillAsked(h handover, services ...string) error {
	whose, write := "service "+services[0], "{gate: none}"
	if len(services) > 1 {
		whose = "services " + listed(services)
	}
	if only := h.onlyGates(services); len(only) > 0 {
		write += " without " + strings.Join(only, ", ") + ", which only gates have"
	}
	return x.inGit("still asks for a gate", whose, strings.Join(services, ", services."), write)
}

// onlyGates are the keys of x-syncd that the services use, and that none has
// without a gate.
func (h handover) onlyGates(services []string) []string {
	used := map[string]bool{}
	for _, o := range h.want {
		if !slices.Contains(services, o.Group) {
			continue
		}
		used["canary"] = used["canary"] || o.Policy.Canary != nil
		var r spec.Route
		if o.Key.Kind == spec.KindRoute && json.Unmarshal(o.Spec, &r) == nil {
			used["proxyProtocol"] = used["proxyProtocol"] || r.ProxyProtocol
			used["sticky"] = used["sticky"] || r.Sticky
		}
	}
	return slices.DeleteFunc([]string{"canary", "proxyProtocol", "sticky"}, func(key string) bool { return !used[key] })
}

// giving says which of a service's ports its gates give back.
func (h handover) giving(service string) (line string, does bool) {
	left := h.left(service)
	given := h.given(service)
	ends := func(s apply.Step) bool {
		return (s.Verb == apply.Stop || s.Verb == apply.Remove) && slices.Contains(left, s.Key)
	}
	switch {
	case len(left) == 0:
		return service + ": no gate publishes a port of it", false
	case len(given) > 0:
		return fmt.Sprintf("%s: its gate gives %s back, gap about %.1f s: from the gate's stop until its container is healthy, besides up to %s in which what is in flight at the gate may end",
			service, ports(given), h.gap(service), h.drain(given)), true
	case slices.ContainsFunc(h.preview.Plan.Steps, ends):
		return fmt.Sprintf("%s: its gate goes with its %s: it publishes that no more", service, ports(left)), true
	}
	return fmt.Sprintf("%s: its gate of %s stays: nothing of the app is removed (sync.prune, or a consent that is missing: syncd plan %s)", service, ports(left), h.preview.App), false
}

// leftAll are the services that have routes which nothing asks for, by name.
func (g gates) leftAll() []string {
	var out []string
	for _, k := range g.extra() {
		out = append(out, k.Namespace)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
