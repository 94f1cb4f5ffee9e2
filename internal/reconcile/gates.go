package reconcile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
	"syncd.io/syncd/internal/state"
)

// gates is what a plan says of those who publish ports for others.
type gates struct {
	want    []resource.Object
	rec     state.Record
	preview *Preview
}

// tell adds to a service what gates have to do with its change: the gap of a port
// that changes hands, what becomes of new connections, and what the service sees
// differently afterwards.
func (g gates) tell(sp *ServicePlan) {
	g.hands(sp)
	if sp.Gap > 0 && sp.Remedy == "" {
		sp.Remedy = g.remedy(sp)
	}
	for _, o := range g.want {
		var r spec.Route
		if o.Key.Kind == spec.KindRoute && o.Group == sp.Group && g.begins(o) && json.Unmarshal(o.Spec, &r) == nil {
			sp.Gates = append(sp.Gates, "port "+o.Key.Name+" goes through a gate: "+seen(r))
			if names := namesOf(r); names != "" {
				sp.Gates = append(sp.Gates, "in its networks the gate answers to "+names+", too, and the containers do not any more: nobody does for about a second")
			}
		}
	}
	for _, name := range g.ended(sp.Group) {
		sp.Gates = append(sp.Gates, "port "+name+" goes through no gate any more: the application sees its clients' addresses")
	}
}

// hands finds the ports that change hands.
func (g gates) hands(sp *ServicePlan) {
	if taken := g.preview.Plan.TakenOver(sp.Group); len(taken) > 0 {
		sp.Gap, sp.Where = resource.Duration(gateTime), "on "+ports(taken)+", while a gate takes it over"
		if sp.How == apply.HowStopFirst {
			sp.Remedy = "then it lets new connections wait"
		}
		return
	}
	given := g.given(sp.Group)
	if first := g.first(sp.Group); len(given) > 0 && first != nil {
		sp.Gap = resource.Duration(gapOf(*first))
		sp.Where = fmt.Sprintf("on %s, while its gate gives it back, besides up to %s in which what is in flight at the gate may end", ports(given), g.drain(given))
	}
}

// given are the ports that gates give back to the service's own containers.
func (g gates) given(group string) []resource.Key {
	return slices.DeleteFunc(g.preview.Plan.GivenBack(group), func(k resource.Key) bool { return !g.publishes(k) })
}

// drain is how long a gate that stops may keep its port closed while what is in
// flight ends: the longest of those that the good revision gives the routes.
func (g gates) drain(routes []resource.Key) resource.Duration {
	longest := time.Duration(0)
	if g.rec.Good == nil {
		return resource.Duration(gate.DefaultDrain)
	}
	for _, o := range g.rec.Good.Objects {
		var r spec.Route
		if slices.Contains(routes, o.Key) && json.Unmarshal(o.Spec, &r) == nil {
			longest = max(longest, cmp.Or(r.Drain, gate.DefaultDrain))
		}
	}
	return resource.Duration(cmp.Or(longest, gate.DefaultDrain))
}

// remedy says what becomes of new connections in a service's gap.
func (g gates) remedy(sp *ServicePlan) string {
	first := g.first(sp.Group)
	if first == nil || sp.Where != "" {
		return ""
	}
	if !slices.ContainsFunc(g.want, func(o resource.Object) bool { return o.Key.Kind == spec.KindRoute && o.Group == sp.Group }) {
		return remedy(sp.Service, *first, g.internal())
	}
	out := "the gate lets new connections wait"
	for _, c := range containers([]resource.Object{*first}) {
		if _, others := sorted(c); others != "" {
			out += ", but " + others
		}
	}
	return out
}

// first is the service's first slot, nil where it has none.
func (g gates) first(group string) *resource.Object {
	i := slices.IndexFunc(g.want, func(o resource.Object) bool { return o.Group == group && o.Key.Kind == spec.KindContainer })
	if i < 0 {
		return nil
	}
	return &g.want[i]
}

// internal are the networks that are not published, by the engine's names.
func (g gates) internal() map[string]bool {
	out := map[string]bool{}
	for _, o := range g.want {
		var n spec.Network
		if o.Key.Kind == spec.KindNetwork && json.Unmarshal(o.Spec, &n) == nil {
			out[n.Name] = n.Internal
		}
	}
	return out
}

// begins tells whether the good revision has no such route, or one that shows the
// service something else. A gate that is only put back changes nothing for it.
func (g gates) begins(o resource.Object) bool {
	if g.rec.Good == nil {
		return true
	}
	i := slices.IndexFunc(g.rec.Good.Objects, func(had resource.Object) bool { return had.Key == o.Key })
	if i < 0 {
		return true
	}
	var had, want spec.Route
	if json.Unmarshal(g.rec.Good.Objects[i].Spec, &had) != nil || json.Unmarshal(o.Spec, &want) != nil {
		return false
	}
	return had.Mode != want.Mode || had.ProxyProtocol != want.ProxyProtocol || namesOf(had) != namesOf(want)
}

// ended are the ports of routes that go, and that the service publishes itself.
func (g gates) ended(group string) []string {
	var out []string
	for _, k := range g.left(group) {
		if g.publishes(k) {
			out = append(out, k.Name)
		}
	}
	return out
}

// extra are the routes that stand, and that nothing asks for.
func (g gates) extra() []resource.Key {
	var out []resource.Key
	for _, f := range g.preview.Report.Findings {
		if f.Class == drift.Extra && f.Key.Kind == spec.KindRoute {
			out = append(out, f.Key)
		}
	}
	return out
}

// left are those of one service.
func (g gates) left(service string) []resource.Key {
	return slices.DeleteFunc(g.extra(), func(k resource.Key) bool { return k.Namespace != service })
}

// publishes tells whether the route's port is to be published by the service's
// own containers.
func (g gates) publishes(route resource.Key) bool {
	first := g.first(route.Namespace)
	if first == nil {
		return false
	}
	for _, c := range containers([]resource.Object{*first}) {
		if slices.ContainsFunc(c.Ports, func(p spec.Port) bool { return p.Protocol == "tcp" && portName(p) == route.Name }) {
			return true
		}
	}
	return false
}

// seen says what an application behind a gate gets to see.
func seen(r spec.Route) string {
	switch {
	case r.Mode == "http":
		return "the application sees the gate's address, and the client's in X-Forwarded-For, -Proto and -Host"
	case r.ProxyProtocol:
		return "the application gets each client's address by PROXY protocol v2, and has to read that first"
	default:
		return "the application sees the gate's address (PROXY protocol v2 tells the client's, with proxyProtocol: true)"
	}
}

// namesOf are the names that the gate answers to instead of the containers.
func namesOf(r spec.Route) string {
	names := map[string]bool{}
	for _, aliases := range r.Aliases {
		for _, name := range aliases {
			names[name] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(names)), ", ")
}

// ports names the ports of routes.
func ports(routes []resource.Key) string {
	names := make([]string, len(routes))
	for i, k := range routes {
		names[i] = k.Name
	}
	if len(names) == 1 {
		return "port " + names[0]
	}
	return "ports " + strings.Join(names, ", ")
}
