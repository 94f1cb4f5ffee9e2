package http1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A client that leaves takes its connection to the backend with it, wherever its
// request is.
func TestAClientThatLeavesFreesTheBackend(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, c := range []struct{ name, request, response string }{
		{"before the response", get, ""},
		{"before the response to a small body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", ""},
		{"with a request sent ahead", get + get, ""},
		{"in the midst of its body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx", ""},
		{"in the midst of its chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", ""},
		{"after a large body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000), ""},
		{"in the midst of events", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
		{"in the midst of a counted body", get, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nabc"},
		{"in the midst of an endless body", get, "HTTP/1.1 200 OK\r\n\r\nabc"},
		{"after an interim response", get, "HTTP/1.1 102 Processing\r\n\r\n"},
	} {
		for how, leave := range map[string]func(*peer){
			"closing":   func(p *peer) { _ = p.Close() },
			"resetting": func(p *peer) { _ = p.SetLinger(0); _ = p.Close() },
		} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				begun, freed := make(chan struct{}), make(chan struct{})
				gate, pool := gateTo(t, scripted(t, func(b *peer) {
					b.head()
					b.send(c.response)
					close(begun)
					_, _ = io.Copy(io.Discard, b)
					close(freed)
				}))
				client := dial(t, gate)
				client.send(c.request)
				closed(t, begun, "the request")
				if c.response != "" {
					client.exactly(len("HTTP/1.1 "))
				}
				leave(client)
				closed(t, freed, "the backend is free")
				eventually(t, "the lease is over", func() bool { return idle(pool) })
			})
		}
	}
}

// idle tells whether nothing is leased.
func idle(p *testPool) bool { return p.picks.Load() == p.ended.Load() }

func TestAClientThatLeavesWhileHeldIsForgotten(t *testing.T) {
	left := make(chan error, 1)
	pool := &holding{testPool: newPool(), left: left}
	c := dial(t, serve(t, &Proxy{Pool: pool}))
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx")
	_ = c.Close()
	if err := closed(t, left, "the end of the wait"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// holding is a pool that tells how a wait has ended.
type holding struct {
	*testPool
	left chan error
}

func (h *holding) Pick(ctx context.Context, _ string, _ []string) (Lease, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	<-ctx.Done()
	h.left <- ctx.Err()
	return nil, ctx.Err()
}

func TestAHeldRequestIsServedWhenABackendComes(t *testing.T) {
	pool := newPool()
	pool.hold = true
	c := dial(t, serve(t, &Proxy{Pool: pool}))
	for range 2 {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50_000))
		eventually(t, "the request waits", func() bool { return pool.waiting.Load() == 1 })
		m := pool.join("b", served(t, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if n != 100_000 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
		}))
		c.send(strings.Repeat("x", 50_000))
		c.want(200, "")
		pool.leave(m)
	}
}

// A slow answer makes the gate watch its client; that must not disturb what the
// client sends ahead, nor the next request.
func TestSlowAnswersDoNotDisturbTheConnection(t *testing.T) {
	gate, _ := gateTo(t, scripted(t, func(b *peer) {
		for {
			head := b.head()
			if head == "" {
				return
			}
			if strings.HasPrefix(head, "POST") {
				b.exactly(5)
			}
			for _, piece := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n", "\r\nhel", "lo!"} {
				timer := time.NewTimer(3 * patience)
				<-timer.C
				b.send(piece)
			}
		}
	}))
	c := dial(t, gate)
	for range 3 {
		c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n")
		timer := time.NewTimer(2 * patience)
		<-timer.C
		c.send("Content-Length: 5\r\n\r\nhello")
		c.want(200, "hello!")
		c.want(200, "hello!")
	}
}

// A body that is slow to come goes on as it comes.
func TestASlowBodyIsNotWaitedFor(t *testing.T) {
	heads := make(chan *peer, 1)
	gate, _ := gateTo(t, scripted(t, func(b *peer) {
		b.head()
		if got := b.exactly(5); got != "hello" {
			t.Errorf("got %q", got)
		}
		heads <- b
		if got := b.exactly(7); got != ", world" {
			t.Errorf("got %q", got)
		}
		b.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}))
	c := dial(t, gate)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nhello")
	closed(t, heads, "the beginning")
	c.send(", world")
	c.want(200, "ok")
}
