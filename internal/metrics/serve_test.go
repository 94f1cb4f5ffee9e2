package metrics

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// door is a listener that takes one end of a pipe for each client.
type door chan net.Conn

// Accept implements net.Listener.
func (d door) Accept() (net.Conn, error) {
	if c, ok := <-d; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (d door) Close() error { close(d); return nil }

// Addr implements net.Listener.
func (d door) Addr() net.Addr { return &net.TCPAddr{} }

// Whoever reaches the address could take every connection that the agent may have open.
func TestNobodyKeepsAConnectionForEver(t *testing.T) {
	for name, asks := range map[string]string{
		"one that asks no more":         "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
		"one that never says the rest":  "GET /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
		"one that never ends its words": "GET /metrics HTTP/1.1\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, ended := make(door), make(chan error, 1)
				ctx, end := context.WithCancel(t.Context())
				nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
				go func() { ended <- serve(ctx, d, Pages{nothing, nothing, nothing}, slog.New(slog.DiscardHandler)) }()
				here, there := net.Pipe()
				d <- there
				left := make(chan struct{})
				go func() {
					defer close(left)
					_, _ = io.Copy(io.Discard, here) // that it ends is all that counts
				}()
				if _, err := io.WriteString(here, asks); err != nil {
					t.Fatal(err)
				}
				select {
				case <-left:
				case <-time.After(10 * time.Minute):
					t.Error("the connection is still open")
				}
				_ = here.Close() // it may be closed
				end()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
