package http1

import (
	"context"
	"net"
	"sync"
	"time"
)

// How idle connections to backends are kept. Common servers close theirs after
// two to five seconds (gunicorn 2, Node and Apache 5); a request that crosses the
// close is lost unless it may be repeated, so one that may not is only sent over
// a connection that was in use just now.
const (
	maxIdle   = 256
	idleFor   = 4 * time.Second
	freshFor  = time.Second
	sweepEach = time.Second
)

// backend is one stay of a backend in the pool: its connections. Its keeper runs
// while there are any, and until the backend has left.
type backend struct {
	leaving, drained <-chan struct{}

	mu    sync.Mutex
	idle  []*upstream // the last one used is the last
	live  map[*upstream]struct{}
	left  bool // it gets no new request
	armed bool // the keeper sweeps
	kept  bool // the keeper runs

	wake  chan struct{}
	start func(*backend) // starts the keeper
}

func newBackend(leaving, drained <-chan struct{}, start func(*backend)) *backend {
	return &backend{
		leaving: leaving, drained: drained, start: start,
		live: make(map[*upstream]struct{}),
		wake: make(chan struct{}, 1),
	}
}

// take returns the idle connection that was used last, if it was used within
// age, for client; nil if there is none.
func (b *backend) take(client net.Conn, age time.Duration, now time.Time) *upstream {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.idle) - 1
	if n < 0 {
		return nil
	}
	u := b.idle[n]
	if now.Sub(u.since) > min(age, u.lasts) {
		return nil
	}
	b.idle[n] = nil
	b.idle = b.idle[:n]
	u.client, u.reused = client, true
	return u
}

// dial makes a connection for client.
func (b *backend) dial(ctx context.Context, lease Lease, client net.Conn, boxes *boxes) (*upstream, error) {
	conn, err := lease.Dial(ctx)
	if err != nil {
		return nil, err
	}
	u := newUpstream(conn, b, boxes)
	u.client = client
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[u] = struct{}{}
	if !b.kept {
		b.kept = true
		b.start(b)
	}
	return u, nil
}

// keep takes a connection back, to be used again.
func (b *backend) keep(u *upstream, now time.Time) {
	u.drop()
	b.mu.Lock()
	u.client = nil
	if b.left || len(b.idle) == maxIdle {
		b.mu.Unlock()
		b.close(u)
		return
	}
	u.since = now
	b.idle = append(b.idle, u)
	arm := !b.armed
	b.armed = true
	b.mu.Unlock()
	if arm {
		b.poke()
	}
}

// close ends a connection for good.
func (b *backend) close(u *upstream) {
	_ = u.conn.Close() // nothing more is wanted of it
	u.drop()
	b.mu.Lock()
	delete(b.live, u)
	last := b.left && len(b.live) == 0
	b.mu.Unlock()
	if last {
		b.poke()
	}
}
