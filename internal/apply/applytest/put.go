package applytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Put makes the slot hold an instance equal to o: it mends a living one in
// place, starts a stopped one, or else puts a new one beside. An instance whose
// claims a running one holds is refused, and so is a network that differs. A
// job that runs or exited 0 is left alone; one that failed runs again.
func (m *Memory) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	c := Call{Verb: "put", Key: o.Key}
	var ref resource.Ref
	err := m.change(ctx, c, func(c *Call) error {
		i, err := m.put(o)
		if err == nil {
			ref, c.Ref = i.ref(), i.ref()
		}
		return err
	})
	if err != nil {
		return resource.Ref{}, err
	}
	return ref, nil
}

func (i *instance) ref() resource.Ref { return resource.Ref{ID: i.id, Generation: int64(i.put)} }

func (m *Memory) put(o resource.Object) (*instance, error) {
	spec, act, err := parse(o)
	if err != nil {
		return nil, fault.As(fault.Rejected, err)
	}
	if spec.Invalid != "" {
		return nil, fault.As(fault.Rejected, fmt.Errorf("put %s: %s", o.Key, spec.Invalid))
	}
	peers, err := m.resolve(o)
	if err != nil {
		return nil, err
	}
	i := m.equal(o, peers)
	if i == nil {
		if i, err = m.create(o, act, peers); err != nil {
			return nil, err
		}
	}
	i.object, i.act, i.foreign = o, act, i.foreign && !alone(o.Key) // on a cluster, it is labelled as ours
	m.puts++
	i.put = m.puts
	m.rest(i)
	return i, m.start(i)
}

// equal returns the instance that o needs at most mended; a running one first.
func (m *Memory) equal(o resource.Object, peers map[resource.Key]string) *instance {
	var found *instance
	for _, i := range m.slots[o.Key] {
		if !sameSpec(i.object, o) || !maps.Equal(i.peers, peers) {
			continue
		}
		if found == nil || !found.alive() && i.alive() {
			found = i
		}
	}
	return found
}

// sameSpec compares without what is mended in place.
func sameSpec(a, b resource.Object) bool {
	return b.Key.Kind == "route" || bytes.Equal(withoutLimits(a.Spec), withoutLimits(b.Spec))
}

func withoutLimits(raw json.RawMessage) json.RawMessage {
	fields := fieldsOf(raw)
	delete(fields, "limits")
	out, err := resource.Canonical(fields)
	if err != nil {
		return raw
	}
	return out
}

func fieldsOf(raw json.RawMessage) map[string]any {
	fields := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&fields); err != nil {
		fields["unreadable"] = string(raw)
	}
	return fields
}

func (m *Memory) create(o resource.Object, act behaviour, peers map[resource.Key]string) (*instance, error) {
	if o.Group == "" && len(m.slots[o.Key]) > 0 {
		return nil, m.breach("put %s: it is there with other settings", o.Key)
	}
	i := &instance{object: o, act: act, peers: peers}
	if rival, c := m.rival(i); rival != nil {
		return nil, m.breach("put %s: %s is held by %s %s", o.Key, c, rival.object.Key, rival.id)
	}
	m.count++
	i.id = fmt.Sprintf("i%d", m.count)
	i.name = restingName(o.Key) + "~" + i.id
	m.slots[o.Key] = append(m.slots[o.Key], i)
	return i, nil
}

// rest gives i the slot's resting name, unless a running instance of the slot
// has it; a stopped one gives it up.
func (m *Memory) rest(i *instance) {
	name := restingName(i.object.Key)
	for _, o := range m.slots[i.object.Key] {
		if o == i || o.name != name {
			continue
		}
		if o.alive() {
			return
		}
		o.name = name + "~" + o.id
	}
	i.name = name
}

func (m *Memory) start(i *instance) error {
	done := i.exited() && i.object.Once && i.act.code == 0
	if i.alive() || done {
		return nil
	}
	if rival, c := m.rival(i); rival != nil {
		return m.breach("start %s: %s is held by %s %s", i.object.Key, c, rival.object.Key, rival.id)
	}
	i.running, i.ran, i.started, i.failing = true, true, time.Now(), ""
	return nil
}

// resolve exchanges the object's references for the instances that they mean.
func (m *Memory) resolve(o resource.Object) (map[resource.Key]string, error) {
	peers := map[resource.Key]string{}
	for _, key := range o.Refs {
		peer := m.present(key)
		if peer == nil {
			return nil, m.breach("put %s: %s is not there", o.Key, key)
		}
		peers[key] = peer.id
	}
	return peers, nil
}

// present returns the instance that stands for a slot: of those that run, or
// else of all, the one that was put last.
func (m *Memory) present(key resource.Key) *instance {
	if len(m.slots[key]) == 0 {
		return nil
	}
	return slices.MaxFunc(m.slots[key], func(a, b *instance) int {
		if a.alive() != b.alive() {
			return map[bool]int{true: 1, false: -1}[a.alive()]
		}
		return a.put - b.put
	})
}
