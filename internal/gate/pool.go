package gate

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"
)

// reach connects to a backend, within a time of its own.
type reach func(ctx context.Context, m *member) (net.Conn, error)

// pool knows who may be given something new, who is on the way out, and who
// waits. Everything in it and in its members is guarded by mu.
type pool struct {
	reach reach
	log   *slog.Logger

	root   context.Context // of the probes
	stop   context.CancelFunc
	probes sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	table   Table // completed
	members []*member
	changed chan struct{} // closed when those who wait may look again
	waiting int
	turns   uint64 // how often somebody was chosen
	credit  int    // of those without a share, see byShare
	totals  Totals
}

// newPool returns an empty pool. ctx is the root of its probes; close ends them.
func newPool(ctx context.Context, r reach, log *slog.Logger) *pool {
	p := &pool{reach: r, log: log, changed: make(chan struct{})}
	p.root, p.stop = context.WithCancel(ctx)
	return p
}

// close ends the probes and lets nobody wait any more.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.wake()
	p.mu.Unlock()
	p.stop()
	p.probes.Wait()
}

// set makes t, a completed table, the one in force. Backends enter and leave;
// what does not differ is left as it is.
func (p *pool) set(t Table) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table = t
	for _, m := range p.members {
		m.listed = false
	}
	for _, b := range t.Backends {
		m := p.member(b)
		m.listed, m.backend.Draining, m.backend.Share = true, b.Draining, b.Share
	}
	for _, m := range p.members {
		p.follow(m)
	}
	p.members = slices.DeleteFunc(p.members, (*member).forgotten)
	p.wake()
}

// member returns the one that b stands for. One that left the table and comes
// back is the same one. On another port it is another.
func (p *pool) member(b Backend) *member {
	for _, m := range p.members {
		if m.backend.ID == b.ID && m.backend.Port == b.Port {
			return m
		}
	}
	m := newMember(b)
	p.members = append(p.members, m)
	return m
}

// follow makes a member's stay what the table says.
func (p *pool) follow(m *member) {
	in := m.listed && !m.backend.Draining
	switch {
	case in && m.left:
		m.enter()
	case !in && !m.left:
		m.leave()
		p.schedule(m)
	case m.left:
		p.schedule(m) // the limit may be another one
	}
}

// schedule sets the clock of the drain: it began when the member left.
func (p *pool) schedule(m *member) {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if m.inFlight > 0 {
		m.until = m.since.Add(p.table.Drain.D())
		m.timer = time.AfterFunc(time.Until(m.until), func() { p.expire(m) })
	}
}

// expire cuts what a member still has in flight.
func (p *pool) expire(m *member) {
	p.mu.Lock()
	var cuts []func()
	if m.left && !time.Now().Before(m.until) { // else it is back, or the limit was moved
		cuts = m.end()
	}
	p.mu.Unlock()
	run(cuts)
}

// cutAll cuts whatever is in flight, anywhere, and what comes after it.
func (p *pool) cutAll() {
	p.mu.Lock()
	var cuts []func()
	for _, m := range p.members {
		cuts = append(cuts, m.end()...)
	}
	p.mu.Unlock()
	run(cuts)
}

func run(cuts []func()) {
	for _, cut := range cuts {
		cut()
	}
}

// wake lets everybody who waits look again.
func (p *pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// stir is wake, for those without the lock.
func (p *pool) stir() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

// next returns a channel that is closed with the next change.
func (p *pool) next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

// accepted counts a client's connection and returns the table in force.
func (p *pool) accepted() Table {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.totals.Accepted++
	return p.table
}

// count adds to the totals.
func (p *pool) count(add func(*Totals)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.totals)
}

// fill writes what the pool knows into an answer.
func (p *pool) fill(a *Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.Waiting, a.Totals = p.waiting, p.totals
	a.Backends = make([]State, 0, len(p.members))
	for _, m := range p.members {
		a.Backends = append(a.Backends, State{
			ID: m.backend.ID, Draining: m.left, Ejected: m.ejected,
			InFlight: m.inFlight, Served: m.served, Failed: m.failed,
		})
	}
}
