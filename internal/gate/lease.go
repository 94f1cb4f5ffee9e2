package gate

import (
	"context"
	"net"
	"slices"
	"time"
)

// lease is a member's part in one connection or request: from being chosen to
// its end it counts as in flight there.
type lease struct {
	pool   *pool
	member *member
	stay   *stay
	missed bool // the last dial failed
}

// lend gives m, which is open, something new.
func (p *pool) lend(m *member) *lease {
	p.turns++
	m.turn = p.turns
	m.inFlight++
	m.stay.leases++
	return &lease{pool: p, member: m, stay: m.stay}
}

// ID is the backend's.
func (l *lease) ID() string { return l.member.backend.ID }

// Signals returns the channels of the backend's stay in the pool: closed when it
// gets nothing new, and when nothing may be in flight any more.
func (l *lease) Signals() (leaving, drained <-chan struct{}) { return l.stay.leaving, l.stay.drained }

// Dial connects to the backend. One that cannot be connected to is ejected.
func (l *lease) Dial(ctx context.Context) (net.Conn, error) {
	conn, err := l.pool.connect(ctx, l.member)
	l.miss(err != nil)
	return conn, err
}

// miss notes whether the backend was not reached.
func (l *lease) miss(missed bool) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.missed = missed
}

// connect connects to a member, and ejects it where that is its fault.
func (p *pool) connect(ctx context.Context, m *member) (net.Conn, error) {
	conn, err := p.reach(ctx, m)
	if err != nil && blames(err) {
		p.mu.Lock()
		defer p.mu.Unlock()
		m.failed++
		p.eject(m, err)
	}
	return conn, err
}

// onCut has f called at the end of the drain, or now where that has been. f must
// not wait.
func (l *lease) onCut(f func()) {
	l.pool.mu.Lock()
	over := l.stay.over
	if !over {
		l.member.cuts[l] = f
	}
	l.pool.mu.Unlock()
	if over {
		f()
	}
}

// Done ends the lease, once; cut says that the end of the drain did.
func (l *lease) Done(cut bool) {
	p, m := l.pool, l.member
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(m.cuts, l)
	m.inFlight--
	if !l.missed {
		m.served++
	}
	if cut {
		p.totals.Cut++
	}
	l.quit()
	if m.left && m.inFlight == 0 {
		p.empty(m)
	}
}

// quit takes the lease out of its stay, and ends one that was only waiting for it.
func (l *lease) quit() {
	l.stay.leases--
	if l.stay.leases > 0 || (l.stay == l.member.stay && !l.member.left) {
		return
	}
	l.stay.end()
	l.member.past = slices.DeleteFunc(l.member.past, func(s *stay) bool { return s == l.stay })
}

// empty ends the drain of a member that has nothing in flight any more.
func (p *pool) empty(m *member) {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
	if m.forgotten() {
		p.members = slices.DeleteFunc(p.members, func(o *member) bool { return o == m })
	}
	m.until = time.Time{}
	p.wake() // those who wait for the end of the drain
}
