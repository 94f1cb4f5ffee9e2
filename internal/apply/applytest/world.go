package applytest

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/resource"
)

// Instances returns what is live in a slot, oldest first.
func (m *Memory) Instances(key resource.Key) []resource.Instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []resource.Instance
	for _, i := range m.slots[key] {
		live := i.live(m)
		live.Foreign = i.foreign
		out = append(out, live)
	}
	return out
}

// Slots returns the slots that hold anything, in key order.
func (m *Memory) Slots() []resource.Key {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.keys()
}

// Plant puts a running instance into o's slot, as something else than syncd
// would have: it is foreign until it is adopted. It does not look at claims.
func (m *Memory) Plant(o resource.Object) (resource.Ref, error) { return m.plant(o, true) }

// Leave puts a running instance of ours into o's slot, beside what is there, as
// an agent that was killed would have left it. It does not look at claims.
func (m *Memory) Leave(o resource.Object) (resource.Ref, error) { return m.plant(o, false) }

func (m *Memory) plant(o resource.Object, foreign bool) (resource.Ref, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, act, err := parse(o)
	if err != nil {
		return resource.Ref{}, err
	}
	peers, err := m.resolve(o)
	if err != nil {
		return resource.Ref{}, err
	}
	m.count++
	m.puts++
	i := &instance{
		id: fmt.Sprintf("i%d", m.count), object: o, act: act, peers: peers, foreign: foreign,
		put: m.puts, running: true, ran: true, started: time.Now(),
	}
	i.name = restingName(o.Key) + "~" + i.id
	m.slots[o.Key] = append(m.slots[o.Key], i)
	m.rest(i)
	return i.ref(), nil
}

// Kill stops the slot's instances, as somebody by hand would.
func (m *Memory) Kill(key resource.Key) {
	m.byHand(key, func(i *instance) { i.running = false })
}

// Vanish removes the slot's instances, as somebody by hand would.
func (m *Memory) Vanish(key resource.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.slots, key)
	m.sample()
}

// Rename gives the slot's instances another name.
func (m *Memory) Rename(key resource.Key, name string) {
	m.byHand(key, func(i *instance) { i.name = name })
}

// Edit changes the live spec of the slot's instances (docker update).
func (m *Memory) Edit(key resource.Key, spec string) {
	m.byHand(key, func(i *instance) { i.object.Spec = []byte(spec) })
}

// Break makes the slot's running instances unhealthy from now on; an empty
// reason heals them.
func (m *Memory) Break(key resource.Key, reason string) {
	m.byHand(key, func(i *instance) { i.failing = reason })
}

// Bounce lets the slot's instances look as if the target had restarted them.
func (m *Memory) Bounce(key resource.Key) {
	m.byHand(key, func(i *instance) { i.extra++ })
}

func (m *Memory) byHand(key resource.Key, do func(*instance)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.slots[key] {
		do(i)
	}
	m.sample()
}

// WatchLowest begins to count, anew, the healthy instances of every group that
// has any now.
func (m *Memory) WatchLowest() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lowest = m.healthy()
}

// Lowest returns the smallest number of healthy instances of the group that was
// seen since WatchLowest: counted after every call.
func (m *Memory) Lowest(group string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sample()
	return m.lowest[group]
}

func (m *Memory) sample() {
	if len(m.lowest) == 0 {
		return
	}
	now := m.healthy()
	for group, n := range m.lowest {
		m.lowest[group] = min(n, now[group])
	}
}

func (m *Memory) healthy() map[string]int {
	out := map[string]int{}
	for _, i := range m.all() {
		if i.object.Group != "" && i.alive() && m.healthOf(i).State == resource.Well {
			out[i.object.Group]++
		}
	}
	return out
}
