package applytest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Route puts a route and changes who serves it: of those who enter, whoever is
// healthy. It breaks a rule to serve nobody while somebody could serve.
func (m *Memory) Route(ctx context.Context, o resource.Object, to apply.Traffic) (resource.Ref, error) {
	var ref resource.Ref
	err := m.change(ctx, Call{Verb: "put", Key: o.Key}, func(c *Call) error {
		i, err := m.put(o)
		if err != nil {
			return err
		}
		ref, c.Ref = i.ref(), i.ref()
		return m.serve(i, to)
	})
	return ref, err
}

func (m *Memory) serve(route *instance, to apply.Traffic) error {
	if route.pool == nil || to.Only {
		route.pool, route.shares = map[string]bool{}, map[string]int{}
	}
	for _, ref := range to.In {
		if i := m.byID(ref.ID); i != nil && m.healthOf(i).State == resource.Well {
			route.pool[ref.ID], route.shares[ref.ID] = true, to.Share
		}
	}
	for _, ref := range to.Out {
		delete(route.pool, ref.ID)
	}
	route.held = to.Hold || route.held && len(m.serving(route)) == 0
	if backends := m.backends(route.object.Key.Namespace); len(backends) > 0 && len(m.serving(route)) == 0 && !to.Hold {
		return m.breach("%s serves nobody, and %s could serve", route.object.Key, backends[0].id)
	}
	return nil
}

// Refuse ends all holds.
func (m *Memory) Refuse(ctx context.Context) error {
	return m.change(ctx, Call{Verb: "refuse"}, func(*Call) error {
		for _, i := range m.all() {
			i.held = false
		}
		return nil
	})
}

// Held tells whether a route lets new connections wait.
func (m *Memory) Held(route resource.Key) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.slots[route], func(i *instance) bool { return i.held && i.alive() })
}

// unserved breaks a rule where the instance has not left its routes before it
// goes.
func (m *Memory) unserved(i *instance, how string) error {
	for _, route := range m.all() {
		if i.alive() && route.alive() && route.pool[i.id] {
			return m.breach("%s %s is %s while %s serves it", i.object.Key, i.id, how, route.object.Key)
		}
	}
	return nil
}

// backends are the healthy instances of a service.
func (m *Memory) backends(service string) []*instance {
	return slices.DeleteFunc(m.all(), func(i *instance) bool {
		return i.object.Key.Kind != "container" || i.object.Key.Namespace != service || !i.alive() || m.healthOf(i).State != resource.Well
	})
}

// serving are those of the route's pool that live.
func (m *Memory) serving(route *instance) []*instance {
	return slices.DeleteFunc(m.all(), func(i *instance) bool { return !route.pool[i.id] || !i.alive() })
}

// ServeAll lets a route serve every running instance of its service, as it does
// at rest.
func (m *Memory) ServeAll(route resource.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.slots[route] {
		r.pool, r.shares = map[string]bool{}, map[string]int{}
		for _, i := range m.all() {
			if i.object.Key.Kind == "container" && i.object.Key.Namespace == route.Namespace {
				r.pool[i.id] = true
			}
		}
	}
}

// Serving names what a route serves, as SLOT ID, with PERCENT% where it has a
// share of its own, in slot order.
func (m *Memory) Serving(route resource.Key) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, i := range m.slots[route] {
		for _, b := range m.serving(i) {
			line := b.object.Key.String() + " " + b.id
			if share := i.shares[b.id]; share > 0 {
				line += fmt.Sprintf(" %d%%", share)
			}
			out = append(out, line)
		}
	}
	return out
}

func (m *Memory) byID(id string) *instance {
	for _, i := range m.all() {
		if i.id == id {
			return i
		}
	}
	return nil
}

// withBackends says in a route's spec which wanted instance it does not serve.
func (m *Memory) withBackends(route *instance, spec json.RawMessage) json.RawMessage {
	fields := fieldsOf(spec)
	for _, b := range m.all() {
		if b.object.Key.Kind != "container" || b.object.Key.Namespace != route.object.Key.Namespace || !b.alive() {
			continue
		}
		if want, wanted := m.wanted[b.object.Key]; wanted && sameSpec(b.object, want) && (!route.pool[b.id] || route.shares[b.id] > 0) {
			fields["backends"] = "without " + b.object.Key.String()
		}
	}
	raw, err := resource.Canonical(fields)
	if err != nil { // a decoded tree always encodes
		return spec
	}
	return raw
}
