package http1

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testPool is a pool of addresses, round robin.
type testPool struct {
	mu      sync.Mutex
	members []*member
	next    int
	changed chan struct{} // closed when a member joins
	hold    bool          // Pick waits for a member
	narrow  bool          // connections to members take little at once

	picks, ended, cuts, waiting atomic.Int64
}

type member struct {
	id               string
	address          string
	leaving, drained chan struct{}
	flight           sync.WaitGroup
}

type testLease struct {
	*member
	pool *testPool
	done atomic.Bool
}

var errEmpty = errors.New("the pool is empty")

func newPool(addresses ...string) *testPool {
	p := &testPool{changed: make(chan struct{})}
	for _, a := range addresses {
		p.join(a, a)
	}
	return p
}

func (p *testPool) join(id, address string) *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := &member{id: id, address: address, leaving: make(chan struct{}), drained: make(chan struct{})}
	p.members = append(p.members, m)
	close(p.changed)
	p.changed = make(chan struct{})
	return m
}

// leave takes m out; what is in flight on it goes on.
func (p *testPool) leave(m *member) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = slices.DeleteFunc(p.members, func(o *member) bool { return o == m })
	close(m.leaving)
}

func (p *testPool) Pick(ctx context.Context, sticky string, except []string) (Lease, error) {
	for {
		l, changed := p.try(sticky, except)
		if l != nil {
			return l, nil
		}
		if !p.hold {
			return nil, errEmpty
		}
		p.waiting.Add(1)
		select {
		case <-changed:
			p.waiting.Add(-1)
		case <-ctx.Done():
			p.waiting.Add(-1)
			return nil, ctx.Err()
		}
	}
}

func (p *testPool) try(sticky string, except []string) (Lease, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.members {
		if m.id == sticky && !slices.Contains(except, sticky) {
			return p.lease(m), nil
		}
	}
	for range p.members {
		p.next++
		if m := p.members[p.next%len(p.members)]; !slices.Contains(except, m.id) {
			return p.lease(m), nil
		}
	}
	return nil, p.changed
}

func (p *testPool) lease(m *member) Lease {
	p.picks.Add(1)
	m.flight.Add(1)
	return &testLease{member: m, pool: p}
}

func (l *testLease) ID() string { return l.id }

func (l *testLease) Dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", l.address)
	if err == nil && l.pool.narrow {
		err = c.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return c, err
}

func (l *testLease) Signals() (leaving, drained <-chan struct{}) { return l.leaving, l.drained }

func (l *testLease) Done(cut bool) {
	if !l.done.CompareAndSwap(false, true) {
		panic("a lease was ended twice")
	}
	if cut {
		l.pool.cuts.Add(1)
	}
	l.pool.ended.Add(1)
	l.flight.Done()
}

// serve lets p serve a listener until the test ends, and returns its address.
func serve(t testing.TB, p *Proxy) string {
	t.Helper()
	address, stop := start(t, p)
	t.Cleanup(stop)
	return address
}

// start serves; stop ends everything and waits for it.
func start(t testing.TB, p *Proxy) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			clients.Go(func() {
				if err := p.Serve(ctx, c); err != nil && testing.Verbose() {
					t.Log("serve:", err)
				}
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	}()
	return l.Addr().String(), sync.OnceFunc(func() {
		_ = l.Close()
		<-accepting
		cancel()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		clients.Wait()
		_ = p.Close()
	})
}
