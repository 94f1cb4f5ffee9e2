// Package pulse is whether the agent itself is well: the signs of life that its loops
// give, and what it depends on. It is a leaf: whoever has a loop may give signs. Times
// are measured, never read off a clock: one that is set makes nobody well or unwell.
package pulse

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Heart collects the signs of life of an agent's loops. Its zero value is ready; one of
// nobody (nil) collects nothing.
type Heart struct {
	mu   sync.Mutex // held for no longer than a look: whoever hangs does not hold it
	work map[*Work]struct{}
}

// Work is one turn of a loop. Its methods may be called by several goroutines, and on
// nil.
type Work struct {
	heart *Heart
	name  string
	limit time.Duration
	// sign is when it gave its last sign of life; nil while it rests.
	sign atomic.Pointer[time.Time]
}

// Begin says that a turn begins: name is what a person calls it, and limit for how long
// it may give no sign of life. It has to be ended.
func (h *Heart) Begin(name string, limit time.Duration) *Work {
	if h == nil {
		return nil
	}
	w := &Work{heart: h, name: name, limit: limit}
	w.Sign()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.work == nil {
		h.work = map[*Work]struct{}{}
	}
	h.work[w] = struct{}{}
	return w
}

// Sign is a sign of life.
func (w *Work) Sign() {
	if w == nil {
		return
	}
	now := time.Now()
	w.sign.Store(&now)
}

// Rest says that the turn waits for others now, who give signs themselves: until the
// next sign nothing is expected of it.
func (w *Work) Rest() {
	if w != nil {
		w.sign.Store(nil)
	}
}

// End says that the turn is over.
func (w *Work) End() {
	if w == nil {
		return
	}
	w.heart.mu.Lock()
	defer w.heart.mu.Unlock()
	delete(w.heart.work, w)
}

// Hung is a turn that has given no sign of life for longer than it may.
type Hung struct {
	Name string
	// Silent is for how long.
	Silent time.Duration
}

// Hung returns those turns, in the order of their names.
func (h *Heart) Hung() []Hung {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Hung
	for w := range h.work {
		if at := w.sign.Load(); at != nil && time.Since(*at) > w.limit {
			all = append(all, Hung{w.name, time.Since(*at)})
		}
	}
	slices.SortFunc(all, func(a, b Hung) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
