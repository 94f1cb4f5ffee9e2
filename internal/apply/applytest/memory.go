// Package applytest holds Memory, a Target in memory for tests of all that
// stands above one, and Conformance, the suite that every Target must pass.
package applytest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// Memory is an apply.Target in memory, with an engine's ways: a slot may hold
// several instances, running ones hold their claims, stopped ones keep their
// place, networks that are in use cannot be removed. How an instance feels is
// scripted by its spec (see Behaviour). Slots whose kind begins with a capital letter
// have room for one instance, as on a cluster. Time is time.Now, so that it lives in
// testing/synctest as well.
//
// It also is an apply.Stopper, Preparer, Evidence, Noter and Teller. All methods
// may be called side by side.
type Memory struct {
	mu       sync.Mutex
	slots    map[resource.Key][]*instance
	wanted   map[resource.Key]resource.Object // of the last Observe
	count    int                              // instances ever made
	puts     int                              // puts and starts, to tell the latest
	calls    []Call
	changes  int // calls that change something
	scripted map[int]script
	away     []span
	hook     func(Call) error
	lowest   map[string]int
	broken   []string
	images   images
	owned    apply.Owned // of the last Observe
	notes    json.RawMessage
	news     []apply.News
}

// NewMemory returns an empty target that knows every image.
func NewMemory() *Memory {
	return &Memory{
		slots: map[resource.Key][]*instance{}, wanted: map[resource.Key]resource.Object{},
		scripted: map[int]script{}, lowest: map[string]int{},
		images: images{absent: map[string]bool{}, unknown: map[string]bool{}},
	}
}

var (
	_ apply.Target   = (*Memory)(nil)
	_ apply.Stopper  = (*Memory)(nil)
	_ apply.Preparer = (*Memory)(nil)
	_ apply.Evidence = (*Memory)(nil)
	_ apply.Router   = (*Memory)(nil)
	_ apply.Noter    = (*Memory)(nil)
	_ apply.Teller   = (*Memory)(nil)
)

// instance is one live thing.
type instance struct {
	id      string
	object  resource.Object
	act     behaviour
	name    string
	peers   map[resource.Key]string // the instances that Refs meant at put
	foreign bool
	put     int // when it was put or started last, as a count
	running bool
	ran     bool
	started time.Time
	// failing is why a test broke it; extra counts restarts by hand.
	failing string
	extra   int
	// pool are the instances that a route serves, by ID; shares the percentages of
	// those that have one.
	pool   map[string]bool
	shares map[string]int
	// held tells that a route lets new connections wait.
	held bool
}

// Remove deletes the instance. A network that running instances are on stays,
// with a Rejected error.
func (m *Memory) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return m.change(ctx, Call{Verb: "remove", Key: key, Ref: ref}, func(*Call) error {
		i := m.find(key, ref)
		if i == nil {
			return nil
		}
		if err := m.unserved(i, "removed"); err != nil {
			return err
		}
		if user := m.userOf(i); user != nil {
			return m.breach("remove %s: %s is on it", key, user.object.Key)
		}
		m.slots[key] = slices.DeleteFunc(m.slots[key], func(o *instance) bool { return o == i })
		if len(m.slots[key]) == 0 {
			delete(m.slots, key)
		}
		return nil
	})
}

// userOf returns a running instance that stands on i, a network; else nil.
func (m *Memory) userOf(i *instance) *instance {
	if i.object.Group != "" {
		return nil
	}
	for _, user := range m.all() {
		if user.alive() && user.peers[i.object.Key] == i.id {
			return user
		}
	}
	return nil
}

// Stop stops the instance; one that is gone or stopped is success.
func (m *Memory) Stop(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return m.change(ctx, Call{Verb: "stop", Key: key, Ref: ref}, func(*Call) error {
		i := m.find(key, ref)
		if i == nil {
			return nil
		}
		if err := m.unserved(i, "stopped"); err != nil {
			return err
		}
		i.running = false
		return nil
	})
}

// Health returns how the instance is now.
func (m *Memory) Health(ctx context.Context, key resource.Key, ref resource.Ref) (h resource.Health, err error) {
	err = m.look(ctx, Call{Verb: "health", Key: key, Ref: ref}, func() {
		h = resource.Health{State: resource.Absent}
		if i := m.find(key, ref); i != nil {
			h = m.healthOf(i)
		}
	})
	return h, err
}

func (m *Memory) find(key resource.Key, ref resource.Ref) *instance {
	for _, i := range m.slots[key] {
		if i.id == ref.ID {
			return i
		}
	}
	return nil
}

// all returns every instance, in key order.
func (m *Memory) all() []*instance {
	var out []*instance
	for _, key := range m.keys() {
		out = append(out, m.slots[key]...)
	}
	return out
}

func (m *Memory) keys() []resource.Key {
	keys := make([]resource.Key, 0, len(m.slots))
	for key := range m.slots {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, resource.Key.Compare)
	return keys
}

func restingName(key resource.Key) string {
	if key.Namespace == "" {
		return key.Name
	}
	return fmt.Sprintf("%s-%s", key.Namespace, key.Name)
}
