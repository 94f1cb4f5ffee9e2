// Package http1 carries HTTP/1.1 requests from one client connection to the
// backends of a pool, each request to the one that the pool picks for it.
//
// It is strict where two readers of one message could disagree (RFC 9112,
// section 11): what is ambiguous is refused and never repaired. Header lines
// travel as the bytes that came, except those that belong to one connection
// only and the three X-Forwarded lines.
package http1

import (
	"context"
	"net"
	"sync"
	"time"
)

// What a Proxy does where its fields are zero. Seventy-five seconds are what
// nginx gives a client between two requests, so a client that worked with one
// finds nothing new here.
const (
	DefaultHeaderLimit   = 64 << 10
	DefaultHeaderTimeout = 10 * time.Second
	DefaultIdleTimeout   = 75 * time.Second
)

// Pool says which backend gets a request.
type Pool interface {
	// Pick returns a lease on a backend: on the one named sticky where that is in
	// the pool (empty: no wish), and on none of except while there is another. It
	// may wait, when the pool is empty and holds; ctx ends when the client is gone.
	// Asking for ctx.Done() starts to watch the client, so Pick does not touch ctx
	// before it has to wait, and does not keep it. An error is answered with 503.
	Pick(ctx context.Context, sticky string, except []string) (Lease, error)
}

// Lease is one request on its way to a backend. Leaving and Drained are the
// backend's and not the lease's: every lease of one stay in the pool returns the
// same two channels, and no two stays share one. They are never nil.
type Lease interface {
	// ID is the backend's name; the value of the sticky cookie.
	ID() string
	// Dial connects to the backend and limits itself in time. ctx is not
	// cancelled when the client goes.
	Dial(ctx context.Context) (net.Conn, error)
	// Signals returns the backend's two channels. leaving is closed when it gets
	// nothing new: its idle connections are closed. drained is closed, later, when
	// what is still in flight has to be cut.
	Signals() (leaving, drained <-chan struct{})
	// Done ends the lease; cut says that the end of the drain ended it. It is
	// called exactly once.
	Done(cut bool)
}

// Proxy serves client connections from one pool. Its fields are set before the
// first Serve and not changed; it must not be copied.
type Proxy struct {
	// Pool says which backend gets a request.
	Pool Pool
	// Sticky keeps a client at its backend by the cookie syncd-gate.
	Sticky bool
	// HeaderLimit is the largest head of a request or a response, in bytes.
	HeaderLimit int
	// HeaderTimeout is how long a request's head may take after its first byte.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a client may keep a connection without a request.
	IdleTimeout time.Duration
	// HTTP2, if set, takes over a client connection that begins with the preface
	// of HTTP/2; what was read of it is read from conn again. It closes conn.
	HTTP2 func(ctx context.Context, conn net.Conn) error

	backends sync.Map // of *backend, by the channel that says it leaves
	boxes    boxes
	spare    sync.Pool // of *exchange
	keepers  sync.WaitGroup
	begun    sync.Once
	done     chan struct{}
}

// Serve carries client's requests to backends until the client ends, asks for
// the end, or breaks a rule, and closes client. When ctx ends it closes client
// between two requests: the one in flight is finished first; to cut that too,
// close client. It returns nil when the connection ended as HTTP has it. client
// should be a *net.TCPConn: what hides one costs speed, and the client's end is
// then only noticed when it is written to.
func (p *Proxy) Serve(ctx context.Context, client net.Conn) error {
	p.begin()
	return newConn(ctx, p, client).serve()
}

// Close closes the connections to backends and ends what watches them. It is
// called after the last Serve has returned.
func (p *Proxy) Close() error {
	p.begin()
	close(p.done)
	p.keepers.Wait()
	return nil
}

func (p *Proxy) begin() {
	p.begun.Do(func() { p.done = make(chan struct{}) })
}

// backend returns the connections of the backend that lease is on.
func (p *Proxy) backend(lease Lease) *backend {
	leaving, drained := lease.Signals()
	if b, ok := p.backends.Load(leaving); ok {
		return b.(*backend)
	}
	b := newBackend(leaving, drained, p.tend)
	if other, ok := p.backends.LoadOrStore(leaving, b); ok {
		return other.(*backend)
	}
	b.kept = true
	p.tend(b)
	return b
}

// tend starts b's keeper; b is forgotten when that ends, but by those who have it.
func (p *Proxy) tend(b *backend) {
	p.keepers.Go(func() {
		defer p.backends.Delete(b.leaving)
		b.tend(p.done)
	})
}

func (p *Proxy) headerLimit() int {
	if p.HeaderLimit > 0 {
		return p.HeaderLimit
	}
	return DefaultHeaderLimit
}

func (p *Proxy) headerTimeout() time.Duration {
	if p.HeaderTimeout > 0 {
		return p.HeaderTimeout
	}
	return DefaultHeaderTimeout
}

func (p *Proxy) idleTimeout() time.Duration {
	if p.IdleTimeout > 0 {
		return p.IdleTimeout
	}
	return DefaultIdleTimeout
}
