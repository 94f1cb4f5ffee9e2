package reconcile

import (
	"context"
	"slices"
	"sync"

	"syncd.io/syncd/internal/resource"
)

// board knows which apps of a catalog may want a thing. Each app that changes asks who
// else wants what it wants: where a commit changes a thousand of them, they do not ask
// one another one by one. It is filled when it is asked, and anew for an app whose
// record has changed since.
type board struct {
	once sync.Once
	apps []*worker // in name order; written once
	// things are what apps want of a host, slots those of a cluster.
	things interest[thing]
	slots  interest[resource.Key]
}

// thing is a container's name, or a port; port 0 stands for ranges, which are few.
type thing struct {
	name, protocol string
	port           int
}

// peers are the workers of the catalog's apps, in name order. Nobody changes it.
func (w *worker) peers(c *catalog) []*worker {
	c.board.once.Do(func() {
		all := w.party
		if all == nil {
			all = w.agent.everyone()
		}
		c.board.apps = slices.DeleteFunc(slices.Clone(all), func(o *worker) bool {
			_, here := c.apps[o.name]
			return !here
		})
	})
	return c.board.apps
}

// rivals are the other apps that may want some of the same of the host, in name order.
func (w *worker) rivals(ctx context.Context, c *catalog, ours []demand) []*worker {
	sought, all := soughtBy(ours)
	if all {
		return w.besides(w.peers(c))
	}
	return w.besides(c.board.things.find(w.peers(c), sought, func(o *worker) ([]thing, bool) {
		set, sure := o.due(ctx, c)
		var out []thing
		for _, d := range o.demanded(set) {
			out = append(out, d.thing())
		}
		return out, sure
	}))
}

// soughtBy are the things of whom wants any that clashes with a demand; all is for a
// range, which may meet any port in between.
func soughtBy(ours []demand) (sought []thing, all bool) {
	for _, d := range ours {
		sought = append(sought, d.thing())
		if d.name == "" {
			sought = append(sought, thing{protocol: d.protocol})
		}
		all = all || d.to > d.from
	}
	return sought, all
}

// thing is where the board has a demand.
func (d demand) thing() thing {
	switch {
	case d.name != "":
		return thing{name: d.name}
	case d.to > d.from:
		return thing{protocol: d.protocol}
	}
	return thing{protocol: d.protocol, port: d.from}
}

// seekers are the other apps that may want the slot.
func (w *worker) seekers(ctx context.Context, c *catalog, key resource.Key) []*worker {
	return w.besides(c.board.slots.find(w.peers(c), []resource.Key{key}, func(o *worker) ([]resource.Key, bool) {
		set, sure := o.due(ctx, c)
		var out []resource.Key
		for _, object := range set.Objects {
			out = append(out, object.Key)
		}
		return out, sure
	}))
}

// besides are all of them but the worker itself.
func (w *worker) besides(workers []*worker) []*worker {
	return slices.DeleteFunc(slices.Clone(workers), func(o *worker) bool { return o.name == w.name })
}

// interest is what the apps of a board want, in keys of one sort.
type interest[K comparable] struct {
	mu sync.Mutex
	by map[K][]int // positions on the board, ascending
	of []wanted[K] // by position
}

// wanted is what one app wants, by its record at that version; it is worked out anew
// where that is not sure.
type wanted[K comparable] struct {
	keys    []K
	version uint64
	sure    bool
}

// find returns the apps that want one of the keys, in order; work says what one wants,
// and whether that is sure.
func (n *interest[K]) find(apps []*worker, sought []K, work func(*worker) ([]K, bool)) []*worker {
	for _, i := range n.stale(apps) {
		version := apps[i].version.Load()
		keys, sure := work(apps[i])
		n.put(i, wanted[K]{keys, version, sure})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var at []int
	for _, key := range sought {
		at = append(at, n.by[key]...)
	}
	slices.Sort(at)
	var out []*worker
	for _, i := range slices.Compact(at) {
		out = append(out, apps[i])
	}
	return out
}

// stale are the positions of those of whom it has to be worked out.
func (n *interest[K]) stale(apps []*worker) []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil {
		n.by, n.of = map[K][]int{}, make([]wanted[K], len(apps))
	}
	var out []int
	for i, w := range apps {
		if known := &n.of[i]; !known.sure || known.version != w.version.Load() {
			out = append(out, i)
		}
	}
	return out
}

// put notes what an app wants, unless something newer is known, or something sure of the
// same record.
func (n *interest[K]) put(i int, now wanted[K]) {
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.of[i]
	if was.sure && (was.version > now.version || was.version == now.version && !now.sure) {
		return
	}
	n.of[i] = now
	if slices.Equal(was.keys, now.keys) {
		return
	}
	for _, key := range was.keys {
		n.by[key] = slices.DeleteFunc(n.by[key], func(other int) bool { return other == i })
		if len(n.by[key]) == 0 {
			delete(n.by, key)
		}
	}
	for _, key := range now.keys {
		if at, there := slices.BinarySearch(n.by[key], i); !there {
			n.by[key] = slices.Insert(n.by[key], at, i)
		}
	}
}
