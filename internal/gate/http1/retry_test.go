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

// nowhere is an address where nobody listens.
func nowhere(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestARefusedDialGoesToAnotherBackend(t *testing.T) {
	pool := newPool(nowhere(t), nowhere(t), served(t, echo))
	c := dial(t, serve(t, &Proxy{Pool: pool}))
	for range 5 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
		c.want(200, "hello")
	}
}

func TestNoBackendIsA503ThatKeepsTheConnection(t *testing.T) {
	pool := newPool(nowhere(t))
	c := dial(t, serve(t, &Proxy{Pool: pool}))
	for range 2 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
		res := c.want(503, "syncd-gate: no backend answers\n")
		if res.Close || res.Header.Get("Retry-After") != "1" {
			t.Error(res.Header)
		}
	}
	c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
	if res, _ := c.answer("HEAD"); res.StatusCode != 503 {
		t.Error(res.Status)
	}
	pool.join("b", served(t, echo))
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
	c.want(200, "hello")
}

func TestABodyThatIsStillComingEndsTheConnectionOfA503(t *testing.T) {
	c := dial(t, serve(t, &Proxy{Pool: newPool()}))
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 99_999))
	if res, _ := c.answer("POST"); res.StatusCode != 503 || !res.Close {
		t.Errorf("got %d, close %v", res.StatusCode, res.Close)
	}
	if _, err := io.ReadAll(c.r); err != nil { // a reset could have taken the answer with it
		t.Error(err)
	}
}

// onceThen answers the first request of its first connection, and ends that in
// the way it is told; later connections work.
func onceThen(t *testing.T, seen *atomic.Int32, end func(c *peer)) string {
	var conns atomic.Int32
	return scripted(t, func(c *peer) {
		first := conns.Add(1) == 1
		for n := 0; ; n++ {
			if first && n == 1 {
				end(c)
				return
			}
			head := c.head()
			if head == "" {
				return
			}
			seen.Add(1)
			if strings.HasPrefix(head, "POST") {
				c.exactly(5)
			}
			c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
}

func TestAnIdleConnectionFoundClosedLosesNothing(t *testing.T) {
	for name, end := range map[string]func(c *peer){
		"closed":  func(c *peer) {},
		"reset":   func(c *peer) { _ = c.SetLinger(0) },
		"unasked": func(c *peer) { c.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int32
			ended := make(chan struct{})
			proxy := &Proxy{Pool: newPool(onceThen(t, &seen, func(c *peer) {
				end(c)
				_ = c.Close()
				close(ended)
			}))}
			c := dial(t, serve(t, proxy))
			c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
			c.want(200, "ok")
			closed(t, ended, "the backend's end")
			for _, size := range []string{"5\r\n\r\nhello", "5\r\nExpect: 100-continue\r\n\r\nhello"} {
				c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + size)
				c.want(200, "ok")
			}
			if n := seen.Load(); n != 3 {
				t.Errorf("the backend saw %d requests, want 3", n)
			}
		})
	}
}

// idleOnes gives the idle connections to backends to f.
func idleOnes(p *Proxy, f func(*upstream)) {
	p.backends.Range(func(_, v any) bool {
		b := v.(*backend)
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, u := range b.idle {
			f(u)
		}
		return true
	})
}

// A deadline for slow answers that is over before the request was sent must not
// let the gate wait for the answer to nothing.
func TestADeadlineThatIsOverTooSoon(t *testing.T) {
	proxy := &Proxy{Pool: newPool(served(t, echo))}
	c := dial(t, serve(t, proxy))
	for range 3 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
		c.want(200, "ok")
		eventually(t, "the connection is idle", func() (found bool) {
			idleOnes(proxy, func(u *upstream) {
				found = true
				_ = u.conn.SetReadDeadline(time.Unix(1, 0))
				u.wakes = time.Now().Add(patience + patience/10)
			})
			return found
		})
	}
}

func TestAConnectionWithMoreThanTheAnswerIsNotUsedAgain(t *testing.T) {
	var conns atomic.Int32
	gate, _ := gateTo(t, scripted(t, func(c *peer) {
		conns.Add(1)
		for c.head() != "" {
			c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more")
		}
	}))
	c := dial(t, gate)
	for range 3 {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		c.want(200, "ok")
	}
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections to the backend, want 3", n)
	}
}

func TestOnlyAHarmlessRequestIsSentTwice(t *testing.T) {
	for _, c := range []struct {
		request string
		status  int
		seen    int32
	}{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 2},
		{"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 200, 2},
		{"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 502, 1},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 502, 1},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 502, 1},
	} {
		method, _, _ := strings.Cut(c.request, " ")
		t.Run(method, func(t *testing.T) {
			var seen atomic.Int32
			// it reads the second request of its first connection, and hangs up
			gate, _ := gateTo(t, onceThen(t, &seen, func(c *peer) { c.head() }))
			client := dial(t, gate)
			client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			client.want(200, "ok")
			client.send(c.request)
			if res, body := client.answer(method); res.StatusCode != c.status {
				t.Errorf("got %d %q, want %d", res.StatusCode, body, c.status)
			}
			if n := seen.Load(); n != c.seen {
				t.Errorf("the backend saw %d whole requests, want %d", n, c.seen)
			}
		})
	}
}

func TestAnAnswerThatHasBegunIsNotAskedForAgain(t *testing.T) {
	var seen atomic.Int32
	gate, _ := gateTo(t, onceThen(t, &seen, func(c *peer) {
		c.head()
		c.send("HTTP/1.1 200 OK\r\nConte")
	}))
	client := dial(t, gate)
	client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	client.want(200, "ok")
	client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if res, _ := client.answer("GET"); res.StatusCode != 502 || seen.Load() != 1 {
		t.Errorf("got %d, seen %d", res.StatusCode, seen.Load())
	}
}

// An answer that comes while the body is still being sent is the answer.
func TestAnEarlyAnswerIsPassedOn(t *testing.T) {
	gate, _ := gateTo(t, served(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	}))
	c := dial(t, gate)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + strings.Repeat("x", 100_000))
	if res, body := c.answer("POST"); res.StatusCode != 413 {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
	c.ended()
}

// Whoever sends first what the other does not read yet must not wait for ever.
func TestABackendMayAnswerBeforeItReads(t *testing.T) {
	const large = 30_000_000
	for _, size := range []int{60_000, 2_000_000} {
		pool := newPool(scripted(t, func(b *peer) {
			_ = b.SetReadBuffer(4 << 10)
			b.head()
			b.send(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", large))
			b.send(string(pattern(large)))
			_, _ = io.Copy(io.Discard, b.r) // which may be cut short: the answer is complete
		}))
		pool.narrow = true
		c := dial(t, serve(t, &Proxy{Pool: pool}))
		go c.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", size, pattern(size)))
		if _, body := c.answer("POST"); body != string(pattern(large)) {
			t.Errorf("%d bytes of the response", len(body))
		}
	}
}

type panicking struct{ *testPool }

func (panicking) Pick(context.Context, string, []string) (Lease, error) { panic("in the pool") }

func TestAPanicEndsTheConnectionAndNoMore(t *testing.T) {
	p := &Proxy{Pool: panicking{newPool()}}
	client, server := net.Pipe()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		_ = p.Serve(t.Context(), server)
	}()
	go func() { _, _ = client.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n")) }()
	if got := closed(t, done, "the panic"); got != "in the pool" {
		t.Errorf("got %v", got)
	}
	if _, err := client.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the client's connection is open: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// A connection that hides its socket is served too, if not as fast.
func TestPlainConnectionsAreServed(t *testing.T) {
	client, server := net.Pipe()
	p := &Proxy{Pool: newPool(served(t, echo))}
	done := make(chan error, 1)
	go func() { done <- p.Serve(t.Context(), server) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
	for _, size := range []int{3, 100_000} {
		res, err := (&http.Client{Transport: transport}).Post("http://a/", "", strings.NewReader(string(pattern(size))))
		if err != nil {
			t.Fatal(err)
		}
		if res.ContentLength != int64(size) {
			t.Error(res.Status)
		}
		_, _ = res.Body.Read(make([]byte, 0))
		buf := make([]byte, size)
		for n := 0; n < size; {
			m, err := res.Body.Read(buf[n:])
			if n += m; err != nil {
				break
			}
		}
		_ = res.Body.Close()
	}
	transport.CloseIdleConnections()
	if err := closed(t, done, "the end"); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
