package applytest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"unicode"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Observe returns a pair per wanted and per live slot, in key order.
func (m *Memory) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) (pairs []resource.Pair, err error) {
	err = m.look(ctx, Call{Verb: "observe"}, func() {
		m.wanted, m.owned = map[resource.Key]resource.Object{}, owned
		for _, o := range want {
			m.wanted[o.Key] = o
		}
		keys := slices.Concat(slices.Collect(maps.Keys(m.wanted)), m.keys())
		slices.SortFunc(keys, resource.Key.Compare)
		for _, key := range slices.Compact(keys) {
			pairs = append(pairs, m.pair(key, owned))
		}
	})
	return pairs, err
}

func (m *Memory) pair(key resource.Key, owned apply.Owned) resource.Pair {
	p := resource.Pair{Key: key, Kept: key.Kind == "volume", Alone: alone(key)}
	if o, ok := m.wanted[key]; ok {
		p.Want, p.Group, p.Stored = &o, o.Group, stored(o)
		p.InPlace = inPlace(o)
	}
	for _, i := range m.slots[key] {
		if p.Want == nil {
			p.Group = i.object.Group
		}
		live := i.live(m)
		live.Foreign = i.foreign && !slices.ContainsFunc(owned.Adopted, func(r resource.Ref) bool { return r.ID == i.id })
		p.Live = append(p.Live, live)
	}
	return p
}

// alone tells the kinds of a cluster, whose objects have one name.
func alone(key resource.Key) bool { return unicode.IsUpper(rune(key.Kind[0])) }

// inPlace are the fields that Put mends; all of a route's.
func inPlace(o resource.Object) []string {
	if o.Key.Kind == "route" {
		return []string{""}
	}
	return []string{"/limits", "/name", "/state"}
}

// stored returns o's spec as the target would have it.
func stored(o resource.Object) json.RawMessage {
	if o.Group == "" {
		return o.Spec
	}
	state := "running"
	if o.Once {
		state = "exited 0"
	}
	peers := map[string]string{}
	for _, key := range o.Refs {
		peers[key.String()] = "present"
	}
	return form(o, restingName(o.Key), state, peers)
}

func form(o resource.Object, name, state string, peers map[string]string) json.RawMessage {
	fields := fieldsOf(o.Spec)
	fields["name"], fields["state"] = name, state
	if len(peers) > 0 {
		fields["peers"] = peers
	}
	raw, err := resource.Canonical(fields)
	if err != nil { // a decoded tree always encodes
		return o.Spec
	}
	return raw
}

func (i *instance) live(m *Memory) resource.Instance {
	out := resource.Instance{
		Ref: i.ref(), Hash: i.object.Hash(), Spec: i.object.Spec, Health: m.healthOf(i),
		Running: i.alive(), Claims: i.object.Claims, Refs: []resource.Key{},
	}
	for key, id := range i.peers {
		if m.find(key, resource.Ref{ID: id}) != nil {
			out.Refs = append(out.Refs, key)
		}
	}
	slices.SortFunc(out.Refs, resource.Key.Compare)
	if i.object.Group == "" {
		return out
	}
	state := "running"
	switch {
	case i.exited():
		state = m.healthOf(i).Reason
	case !i.running:
		state = "stopped"
	}
	peers := map[string]string{}
	for key, id := range i.peers {
		peers[key.String()] = m.standing(key, id)
	}
	out.Spec = form(i.object, i.name, state, peers)
	if out.Running && i.object.Key.Kind == "route" {
		out.Spec = m.withBackends(i, out.Spec)
	}
	return out
}

// standing says what became of the instance that a reference meant.
func (m *Memory) standing(key resource.Key, id string) string {
	peer := m.find(key, resource.Ref{ID: id})
	if peer == nil {
		return "gone"
	}
	want, wanted := m.wanted[key]
	if wanted && sameSpec(peer.object, want) || m.present(key) == peer {
		return "present"
	}
	return "former"
}
