package http1

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// deadline bounds every wait of a test.
const deadline = 10 * time.Second

// gateTo serves a pool of one backend.
func gateTo(t testing.TB, backend string) (address string, pool *testPool) {
	t.Helper()
	pool = newPool(backend)
	return serve(t, &Proxy{Pool: pool}), pool
}

// served is a real net/http server.
func served(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// scripted is a backend that speaks with bytes: every connection is given to talk.
func scripted(t testing.TB, talk func(c *peer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				p := newPeer(t, c)
				defer c.Close()
				talk(p)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// peer is one end of a connection, in a test.
type peer struct {
	*net.TCPConn
	t testing.TB
	r *bufio.Reader
}

func newPeer(t testing.TB, c net.Conn) *peer {
	_ = c.SetDeadline(time.Now().Add(deadline))
	return &peer{c.(*net.TCPConn), t, bufio.NewReader(c)}
}

// dial connects a client to a gate.
func dial(t testing.TB, address string) *peer {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return newPeer(t, c)
}

func (p *peer) send(s string) {
	p.t.Helper()
	if _, err := io.WriteString(p, s); err != nil {
		p.t.Errorf("send: %v", err)
	}
}

// reply is a response without its body.
type reply struct {
	StatusCode      int
	Status          string
	Header, Trailer http.Header
	ContentLength   int64
	Close           bool
}

// answer reads a response, with its body, to a request with that method.
func (p *peer) answer(method string) (*reply, string) {
	p.t.Helper()
	res, err := http.ReadResponse(p.r, &http.Request{Method: method})
	if err != nil {
		p.t.Fatalf("read response: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("read body: %v", err)
	}
	return &reply{res.StatusCode, res.Status, res.Header, res.Trailer, res.ContentLength, res.Close}, string(body)
}

// want reads a response and holds its status and body against what is wanted.
func (p *peer) want(status int, body string) *reply {
	p.t.Helper()
	res, got := p.answer("GET")
	if res.StatusCode != status || got != body {
		p.t.Fatalf("got %d %q, want %d %q", res.StatusCode, got, status, body)
	}
	return res
}

// head reads a request's or a response's head, as bytes.
func (p *peer) head() string {
	var b strings.Builder
	for {
		line, err := p.r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String()
		}
	}
}

// exactly reads n bytes.
func (p *peer) exactly(n int) string {
	p.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		p.t.Errorf("read %d bytes: %v", n, err)
	}
	return string(b)
}

// ended waits until the other side has closed; it returns what came before.
func (p *peer) ended() string {
	p.t.Helper()
	b, err := io.ReadAll(p.r)
	if err != nil && isTimeout(err) {
		p.t.Error("the connection was not closed")
	}
	return string(b)
}

// closed waits for a channel.
func closed[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(deadline):
		t.Errorf("timed out: %s", what)
	}
	return v
}

// eventually polls until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(deadline)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("timed out: %s", what)
		}
	}
}

func pattern(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
}
