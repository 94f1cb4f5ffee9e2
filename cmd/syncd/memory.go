package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// How the agent's memory is kept. It lives long, works seldom, and shares a small host
// with others: at rest it may grow but a little between two collections. While it works
// on many apps, collecting that often would cost a third of its time.
const (
	restPercent = 25
	workPercent = 40       // at least, while it works
	workRoom    = 12 << 20 // what it may grow by then, in bytes
	workLook    = time.Second
	workEnds    = 3 * time.Second // after the last event
	worthReturn = 16 << 20        // what a time of work has to have allocated for memory to be given back
)

// memory lets the agent use more while it works, and gives it back when it rests.
type memory struct {
	mu     sync.Mutex // guards what follows
	looked time.Time
	begun  uint64 // what had been allocated when the work began
	rest   *time.Timer
}

// keepMemory sets the agent's memory up; nil where the environment says how.
func keepMemory() *memory {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	debug.SetGCPercent(restPercent)
	return &memory{}
}

// hearing returns what hears of the agent's work before tell does.
func (m *memory) hearing(tell func(reconcile.Event)) func(reconcile.Event) {
	if m == nil {
		return tell
	}
	return func(e reconcile.Event) {
		m.work()
		tell(e)
	}
}

// work notes that something is done. It looks at the clock, and does more once in a
// while.
func (m *memory) work() {
	if !m.mu.TryLock() { // somebody else does
		return
	}
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.looked) < workLook {
		return
	}
	live, allocated := heap()
	if m.rest == nil || !m.rest.Stop() { // it rested
		m.begun = allocated
	}
	m.looked = now
	m.rest = time.AfterFunc(workLook+workEnds, m.relax)
	debug.SetGCPercent(max(workPercent, int(workRoom*100/max(live, 1<<20))))
}

// relax goes back to a small memory.
func (m *memory) relax() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.looked) < workLook+workEnds { // it has begun anew
		return
	}
	debug.SetGCPercent(restPercent)
	if _, allocated := heap(); allocated-m.begun >= worthReturn {
		debug.FreeOSMemory()
	}
}

// heap is what the last collection has left, and all that was ever allocated, in
// bytes.
func heap() (live, allocated uint64) {
	read := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(read)
	return read[0].Value.Uint64(), read[1].Value.Uint64()
}
