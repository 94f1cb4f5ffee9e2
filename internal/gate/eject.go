package gate

import (
	"context"
	"errors"
	"syscall"
	"time"

	"syncd.io/syncd/internal/nap"
)

// How long after a failure an ejected backend is probed: at first, and at most.
const (
	firstProbe = 100 * time.Millisecond
	lastProbe  = 2 * time.Second
)

// blames tells whether a failed dial speaks against the backend. It does not
// where the caller gave up, or where the gate itself lacks something.
func blames(err error) bool { return !errors.Is(err, context.Canceled) && !lacking(err) }

// lacking tells whether the gate itself lacked something: descriptors, memory,
// local ports.
func lacking(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// eject takes a member out of the pool until a probe reaches it.
func (p *pool) eject(m *member, why error) {
	if !m.open() || p.closed {
		return
	}
	m.ejected = true
	ctx, cancel := context.WithCancel(p.root)
	m.endProbe = cancel
	p.log.Warn("ejected", "backend", m.backend.ID, "error", why)
	p.probes.Go(func() {
		defer cancel()
		p.probe(ctx, m)
	})
}

// probe tries until the member is reached, at growing distances; but at the
// smallest one while somebody waits. ctx ends when the member leaves.
func (p *pool) probe(ctx context.Context, m *member) {
	last, distance := time.Now(), firstProbe
	for nap.For(ctx, firstProbe) == nil {
		if time.Since(last) < distance && !p.awaited() {
			continue
		}
		if p.answers(ctx, m) {
			p.back(ctx, m)
			return
		}
		last, distance = time.Now(), min(2*distance, lastProbe)
	}
}

// awaited tells whether anybody waits for a backend.
func (p *pool) awaited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting > 0
}

// answers tells whether a member lets itself be connected to. Where it expects
// the PROXY protocol, it is told that nobody is behind this connection.
func (p *pool) answers(ctx context.Context, m *member) bool {
	conn, err := p.reach(ctx, m)
	if err != nil {
		return false
	}
	defer conn.Close()
	p.mu.Lock()
	announced := p.table.ProxyProtocol
	p.mu.Unlock()
	if announced {
		_, err = conn.Write(localHeader())
	}
	return err == nil
}

// back lets a member in again that a probe has reached.
func (p *pool) back(ctx context.Context, m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil { // it left meanwhile
		return
	}
	m.readmit()
	p.log.Info("back", "backend", m.backend.ID)
	p.wake()
}
