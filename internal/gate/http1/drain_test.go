package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// conversation is a backend that answers when it is told to.
func conversation(t *testing.T) (address string, asked chan *peer, ended *atomic.Int32) {
	asked = make(chan *peer, 16)
	ended = new(atomic.Int32)
	return scripted(t, func(c *peer) {
		defer ended.Add(1)
		for c.head() != "" {
			asked <- c
		}
	}), asked, ended
}

func TestABackendThatLeavesFinishesWhatItHas(t *testing.T) {
	address, asked, ended := conversation(t)
	pool := newPool()
	m := pool.join("old", address)
	gate := serve(t, &Proxy{Pool: pool})

	busy, resting := dial(t, gate), dial(t, gate)
	for _, c := range []*peer{busy, resting} {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	first, second := closed(t, asked, "a request"), closed(t, asked, "a request")
	second.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	answered := make(chan *peer, 2)
	for _, c := range []*peer{busy, resting} {
		go func() {
			if _, err := c.r.Peek(1); err == nil {
				answered <- c
			}
		}()
	}
	c := closed(t, answered, "one answer")
	c.want(200, "ok")
	eventually(t, "its lease is over", func() bool { return pool.ended.Load() == 1 })

	left := time.Now()
	pool.leave(m)
	pool.join("new", served(t, echo))
	eventually(t, "the idle connection is closed", func() bool { return ended.Load() == 1 })
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnew")
	c.want(200, "new")

	first.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast")
	other := closed(t, answered, "the other answer")
	other.want(200, "last")
	eventually(t, "its connection is not kept", func() bool { return ended.Load() == 2 })
	if took := time.Since(left); took > idleFor {
		t.Errorf("its connections were closed after %v, like any that is idle", took)
	}
	other.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nnew")
	other.want(200, "new")
	m.flight.Wait()
	if n := pool.cuts.Load(); n != 0 {
		t.Errorf("%d cut", n)
	}
}

func TestTheEndOfTheDrainCuts(t *testing.T) {
	for _, c := range []struct{ name, request, response, want string }{
		{"before a response", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "", "HTTP/1.1 502"},
		{"in the midst of one", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc"},
		{"in the midst of events", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "3\r\nabc\r\n"},
		{"in the midst of a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx", "", "HTTP/1.1 502"},
		{"a client that does not read", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n" + string(pattern(20_000_000)), ""},
		{"an upgraded connection", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc", "abc"},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan struct{})
			pool := newPool()
			m := pool.join("old", scripted(t, func(b *peer) {
				b.head()
				first := min(len(c.response), 10_000_000) // more than the kernel takes
				b.send(c.response[:first])
				close(asked)
				_, _ = io.WriteString(b, c.response[first:])
				_, _ = io.Copy(io.Discard, b)
			}))
			client := dial(t, serve(t, &Proxy{Pool: pool}))
			client.send(c.request)
			closed(t, asked, "the request")
			pool.leave(m)
			if c.want == "abc" || c.want == "3\r\nabc\r\n" {
				client.head()
				client.exactly(len(c.want))
			}
			close(m.drained)
			if c.want != "" {
				if got := client.ended(); c.want == "HTTP/1.1 502" && !strings.HasPrefix(got, c.want) {
					t.Errorf("got %q", got)
				}
			}
			m.flight.Wait()
			if n := pool.cuts.Load(); n != 1 {
				t.Errorf("%d cut, want 1", n)
			}
		})
	}
}

// A lease that was taken before the backend left may dial after everything else
// on it has ended. The drain's end cuts it all the same.
func TestALateDialIsCutToo(t *testing.T) {
	address, asked, _ := conversation(t)
	pool := &late{testPool: newPool(), picked: make(chan *member), dial: make(chan struct{})}
	m := pool.join("old", address)
	c := dial(t, serve(t, &Proxy{Pool: pool}))
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	closed(t, pool.picked, "the lease")
	pool.leave(m)
	close(pool.dial)
	closed(t, asked, "the request")
	close(m.drained)
	if got := c.ended(); !strings.HasPrefix(got, "HTTP/1.1 502") {
		t.Errorf("got %q", got)
	}
}

type late struct {
	*testPool
	picked chan *member
	dial   chan struct{}
}

type lateLease struct {
	Lease
	pool *late
}

func (p *late) Pick(ctx context.Context, sticky string, except []string) (Lease, error) {
	l, err := p.testPool.Pick(ctx, sticky, except)
	if err == nil {
		l = &lateLease{l, p}
	}
	return l, err
}

func (l *lateLease) Dial(ctx context.Context) (net.Conn, error) {
	l.pool.picked <- nil
	<-l.pool.dial
	return l.Lease.Dial(ctx)
}

func TestTheEndOfServingWaitsForTheResponse(t *testing.T) {
	address, asked, _ := conversation(t)
	p := &Proxy{Pool: newPool(address)}
	ctx, cancel := context.WithCancel(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	results := make(chan error, 3)
	accept := func() *peer {
		c := dial(t, l.Addr().String())
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() { results <- p.Serve(ctx, conn) }()
		return c
	}
	fresh, used, busy := accept(), accept(), accept()
	used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	closed(t, asked, "a request").send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	used.want(200, "ok")
	busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	b := closed(t, asked, "a request")
	cancel()
	for _, c := range []*peer{fresh, used} {
		if got := c.ended(); got != "" {
			t.Errorf("got %q", got)
		}
	}
	b.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	if res := busy.want(200, "ok"); !res.Close {
		t.Error("the client is not told that the connection ends")
	}
	busy.ended()
	for range 3 {
		if err := closed(t, results, "Serve"); err != nil {
			t.Error(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A request that has come when serving ends is still answered.
func TestTheLastRequestIsServed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &Proxy{Pool: newPool(served(t, echo))}
	c := dial(t, l.Addr().String())
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ended := newConn(t.Context(), p, conn)
	p.begin()
	ended.end()
	done := make(chan error, 1)
	go func() { done <- ended.serve() }()
	if res := c.want(200, "ok"); !res.Close {
		t.Error("the client is not told that the connection ends")
	}
	c.ended()
	if err := errors.Join(closed(t, done, "the end"), p.Close()); err != nil {
		t.Error(err)
	}
}

func TestIdleConnectionsToBackendsAreClosed(t *testing.T) {
	address, asked, ended := conversation(t)
	gate, _ := gateTo(t, address)
	c := dial(t, gate)
	c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	// it says that it keeps idle connections for a second, so the gate does for half of one
	closed(t, asked, "a request").send("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok")
	c.want(200, "ok")
	eventually(t, "the idle connection is closed", func() bool { return ended.Load() == 1 })
}

// TestUpgraded speaks a protocol of its own, with bytes that come together with
// the heads, half-closes, and a good deal of data.
func TestUpgraded(t *testing.T) {
	gate, pool := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %s\r\nX: y\r\n\r\nwelcome", r.Header.Get("Upgrade"))
		_, _ = io.Copy(conn, buffered) // an echo
		_, _ = io.WriteString(conn, "bye")
	}))
	for _, size := range []int{5, 300_000, 5_000_000} {
		c := dial(t, gate)
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\nearly")
		head := c.head()
		if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, "Upgrade: echo/1\r\n") || !strings.Contains(head, "X: y\r\n") {
			t.Fatal(head)
		}
		if got := c.exactly(12); got != "welcomeearly" {
			t.Errorf("got %q", got)
		}
		want := string(pattern(size))
		go func() {
			_, _ = io.WriteString(c, want)
			_ = c.CloseWrite()
		}()
		if got := c.exactly(size); got != want {
			t.Error("the echo differs")
		}
		if got := c.ended(); got != "bye" {
			t.Errorf("got %q", got)
		}
	}
	eventually(t, "the leases are over", func() bool { return idle(pool) })
}

func TestARefusedUpgradeIsAnOrdinaryResponse(t *testing.T) {
	gate, _ := gateTo(t, served(t, echo))
	c := dial(t, gate)
	for range 2 {
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		c.want(200, "")
	}
}

func TestAnUpgradeEndsWithEitherSide(t *testing.T) {
	for name, end := range map[string]func(backend, client *peer){
		"the backend": func(b, _ *peer) { _ = b.Close() },
		"the client":  func(_, c *peer) { _ = c.Close() },
		"a reset":     func(_, c *peer) { _ = c.SetLinger(0); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			address, asked, _ := conversation(t)
			gate, pool := gateTo(t, address)
			c := dial(t, gate)
			c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			b := closed(t, asked, "a request")
			b.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			c.head()
			end(b, c)
			if name == "the backend" {
				c.ended()
				_ = c.Close()
			}
			eventually(t, "the lease is over", func() bool { return idle(pool) })
		})
	}
}

// TestSwitchingLosesNothing is what the gate is for: keep-alive clients, and
// backends that change under them.
func TestSwitchingLosesNothing(t *testing.T) {
	const clients, switches = 50, 20
	pool := newPool()
	gate := serve(t, &Proxy{Pool: pool})
	stop := make(chan struct{})
	var sent, failed atomic.Int64
	done := make(chan error, clients)

	current, shutdown := replica(t, pool)
	for i := range clients {
		c := dial(t, gate)
		go func() { done <- customer(c, i%2 == 0, stop, &sent, &failed) }()
	}
	for range switches {
		before := sent.Load()
		eventually(t, "traffic", func() bool { return sent.Load() > before+500 })
		next, nextShutdown := replica(t, pool)
		pool.leave(current)
		current.flight.Wait()
		shutdown()
		current, shutdown = next, nextShutdown
	}
	close(stop)
	for range clients {
		if err := closed(t, done, "a client"); err != nil {
			t.Error(err)
		}
	}
	shutdown()
	if failed.Load() > 0 || pool.cuts.Load() > 0 {
		t.Errorf("%d of %d requests failed, %d cut", failed.Load(), sent.Load(), pool.cuts.Load())
	}
	t.Logf("%d requests", sent.Load())
}

// replica is a real server in the pool, with an end as a container's should be.
func replica(t *testing.T, pool *testPool) (m *member, shutdown func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(echo)}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	m = pool.join(l.Addr().String(), l.Addr().String())
	return m, func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}
}

// customer sends requests over one connection, and never a second time.
func customer(c *peer, posts bool, stop chan struct{}, sent, failed *atomic.Int64) error {
	request, want := "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""
	if posts {
		request, want = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "hello"
	}
	_ = c.SetDeadline(time.Now().Add(6 * deadline))
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		sent.Add(1)
		if _, err := io.WriteString(c, request); err != nil {
			failed.Add(1)
			return err
		}
		res, err := http.ReadResponse(c.r, nil)
		if err != nil {
			failed.Add(1)
			return err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != 200 || string(body) != want {
			failed.Add(1)
			return fmt.Errorf("got %s %q: %w", res.Status, body, err)
		}
	}
}
