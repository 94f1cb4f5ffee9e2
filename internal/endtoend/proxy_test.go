package endtoend_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// proxy stands between the agent and the engine, and counts.
type proxy struct {
	address string

	mu     sync.Mutex
	calls  []string
	away   bool
	before func(call string) // sees a call before the engine does
}

// newProxy serves an engine's address in front of the local one.
func newProxy(t testing.TB) *proxy { return newProxyTo(t, engineSocket()) }

// newProxyTo does so in front of the one that listens at a socket.
func newProxyTo(t testing.TB, engine string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // a temporary directory
	socket := filepath.Join(dir, "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: "unix://" + socket}
	server := &http.Server{Handler: p.handler(engine)}
	go server.Serve(l)                   //nolint:errcheck // it ends with Close
	t.Cleanup(func() { server.Close() }) //nolint:errcheck // nothing is left to do about it
	return p
}

// engineSocket is where the local engine listens.
func engineSocket() string {
	if path, ok := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://"); ok {
		return path
	}
	return "/var/run/docker.sock"
}

func (p *proxy) handler(socket string) http.Handler {
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	forward.FlushInterval = -1
	forward.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.calls = append(p.calls, r.Method+" "+r.URL.Path)
		away, before := p.away, p.before
		p.mu.Unlock()
		if before != nil {
			before(r.Method + " " + r.URL.Path)
		}
		if away {
			panic(http.ErrAbortHandler) // closes the connection without an answer
		}
		forward.ServeHTTP(w, r)
	})
}

// spy lets before see every call; nil is nobody.
func (p *proxy) spy(before func(call string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

// refuse lets the engine seem to be away for that long.
func (p *proxy) refuse(d time.Duration) {
	set := func(away bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.away = away
	}
	set(true)
	<-time.After(d)
	set(false)
}

// take returns the calls since the last take.
func (p *proxy) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.calls
	p.calls = nil
	return out
}

// changing are the calls that may change something.
func changing(calls []string) []string {
	var out []string
	for _, c := range calls {
		if !strings.HasPrefix(c, "GET ") && !strings.HasPrefix(c, "HEAD ") {
			out = append(out, c)
		}
	}
	return out
}
