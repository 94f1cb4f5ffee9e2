package notify

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// flooding is a server that says begin, and then the same again and again until the
// other side hangs up; it counts the bytes that it got rid of. One that is asked first
// waits for that: what comes before a request is no answer to it.
func flooding(t *testing.T, asked bool, begin, again string) (address string, rid *atomic.Int64) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rid = &atomic.Int64{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			n := 0
			if asked {
				_, err = conn.Read(make([]byte, 1))
			}
			if err == nil {
				n, err = conn.Write([]byte(begin))
			}
			for err == nil {
				rid.Add(int64(n))
				n, err = conn.Write([]byte(again))
			}
			_ = conn.Close() // nobody listens any more
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return l.Addr().String(), rid
}

// No server fills the agent's memory, whatever it goes on saying: little of it is read.
func TestAFloodIsNotRead(t *testing.T) {
	line := strings.Repeat("x", 32<<10)
	mail := config.Channel{Type: config.Email, TLS: "none", From: "a@b.c", Recipients: []string{"d@e.f"}}
	for name, c := range map[string]struct {
		conf         config.Channel
		begin, again string
		succeeds     bool
	}{
		"endless headers":         {config.Channel{Type: "slack"}, "HTTP/1.1 200 OK\r\n", "X-" + line[:100] + ": " + line + "\r\n", false},
		"one endless header":      {config.Channel{Type: "slack"}, "HTTP/1.1 200 OK\r\nX: ", line, false},
		"one endless status line": {config.Channel{Type: "slack"}, "HTTP/1.1 200 ", line, false},
		"endless early hints":     {config.Channel{Type: "slack"}, "", "HTTP/1.1 103 Early Hints\r\nLink: <" + line[:1000] + ">\r\n\r\n", false},
		"an endless body":         {config.Channel{Type: "slack"}, "HTTP/1.1 200 OK\r\n\r\n", line, true},
		"endless trailers":        {config.Channel{Type: "slack"}, "HTTP/1.1 500 no\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\nX: ", line, false},
		"an endless greeting":     {mail, "220 ", line, false},
		"endless greetings":       {mail, "", "220-" + line[:500] + "\r\n", false},
		"endless answers":         {mail, "220 hi\r\n", "250-" + line[:500] + "\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			address, rid := flooding(t, c.conf.Type != config.Email, c.begin, c.again)
			c.conf.URL, c.conf.Server = "http://"+address+"/x", ""
			if c.conf.Type == config.Email {
				c.conf.URL, c.conf.Server = "", address
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := channelOf("ops", "prod-1", c.conf).send(ctx, message())
			if (err == nil) != c.succeeds || err != nil && (fault.Of(err) != fault.Unreachable || len(err.Error()) > 400) {
				t.Errorf("the error is %v (%v)", err, fault.Of(err))
			}
			if ctx.Err() != nil {
				t.Error("it was read until the deadline")
			}
			if n := rid.Load(); n > 16<<20 { // with what the kernel keeps of both sides
				t.Errorf("%d bytes were taken", n)
			}
		})
	}
}
