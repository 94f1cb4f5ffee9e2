package http1

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// witness writes down the whole requests that a real server has understood.
type witness struct {
	gate string // what the gate puts for the host that HTTP/1.0 need not name

	mu   sync.Mutex
	seen []string
}

func (w *witness) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, fmt.Sprintf("%s %s %s %q", r.Method, r.URL.RequestURI(), strings.TrimPrefix(r.Host, w.gate), body))
}

func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// FuzzStream sends a client's bytes to a server, and then through a gate to the
// same server. Through the gate it has to understand the same requests, in the
// same order; the gate may only end the connection sooner. This is what a
// smuggled request would break.
func FuzzStream(f *testing.F) {
	const next = "GET /next HTTP/1.1\r\nHost: b\r\n\r\n"
	for _, head := range requestHeads() {
		f.Add([]byte(head + "4\r\nabcd\r\n0\r\n\r\n" + next))
	}
	for _, body := range []string{"0\r\n\r\n", "4;a=b\r\nabcd\r\n0\r\nX: y\r\n\r\n", "4\nabcd\r\n0\r\n\r\n", "4 \r\nabcd\r\n0\r\n\r\n", "5\r\nabcd\r\n0\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n"} {
		f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body + next))
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n" + next))
	w := &witness{}
	backend := httptest.NewUnstartedServer(w)
	backend.Config.ErrorLog = nil
	backend.Start()
	f.Cleanup(backend.Close)
	direct := backend.Listener.Addr().String()
	w.gate = serve(f, &Proxy{Pool: newPool(direct)})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4<<10 || bytes.Contains(bytes.ToLower(b), []byte("expect")) {
			return // which net/http answers itself, and ends the connection
		}
		say(t, direct, b)
		want := w.take()
		say(t, w.gate, b)
		got := w.take()
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Fatalf("through the gate it understood\n%s\nand without it\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// say sends everything and waits until the other side has closed.
func say(t *testing.T, address string, b []byte) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(deadline))
	_, _ = c.Write(b) // the other side may have closed already
	_ = c.(*net.TCPConn).CloseWrite()
	if _, err := io.Copy(io.Discard, c); err != nil && isTimeout(err) {
		t.Fatal("the connection was not closed")
	}
}
