package gate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// limit is how long anything may take in these tests.
const limit = time.Minute

// start starts a gate on a loopback port with a table in force.
func start(t testing.TB, table Table) *Gate {
	t.Helper()
	return startAt(t, "127.0.0.1:0", table)
}

func startAt(t testing.TB, listen string, table Table) *Gate {
	t.Helper()
	g := startIn(t.Context(), t, place(t), listen)
	apply(t, g, table)
	return g
}

// startIn starts a gate without a table, unless one lies in dir.
func startIn(ctx context.Context, t testing.TB, dir, listen string) *Gate {
	t.Helper()
	g, err := Start(ctx, Options{Dir: dir, Listen: listen, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// place is a directory whose path is short enough for a socket.
func place(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func apply(t testing.TB, g *Gate, table Table) {
	t.Helper()
	if err := g.Apply(table); err != nil {
		t.Fatal(err)
	}
}

// until waits for something to become true.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// backend is a server at an address of its own.
type backend struct {
	Backend
	t      testing.TB
	handle func(*net.TCPConn)
	mu     sync.Mutex
	ln     *net.TCPListener
	conns  []*net.TCPConn
	held   atomic.Int32 // connections that are open, where it speaks HTTP
	runs   sync.WaitGroup
}

// serve starts a backend: n is the last number of its address.
func serve(t testing.TB, n byte, handle func(*net.TCPConn)) *backend {
	t.Helper()
	b := &backend{Backend: Backend{ID: fmt.Sprintf("127.0.1.%d", n)}, t: t, handle: handle}
	b.open()
	t.Cleanup(b.close)
	return b
}

// open lets it be connected to, on the same port as before.
func (b *backend) open() {
	b.t.Helper()
	ln, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(b.ID), b.Port).String())
	if err != nil {
		b.t.Fatal(err)
	}
	b.ln = ln.(*net.TCPListener)
	b.Port = addrPort(ln.Addr()).Port()
	b.runs.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns = append(b.conns, conn.(*net.TCPConn))
			b.mu.Unlock()
			b.runs.Go(func() {
				defer conn.Close()
				b.handle(conn.(*net.TCPConn))
			})
		}
	})
}

// close ends it with all its connections.
func (b *backend) close() {
	_ = b.ln.Close()
	b.mu.Lock()
	for _, conn := range b.conns {
		_ = conn.Close()
	}
	b.conns = nil
	b.mu.Unlock()
	b.runs.Wait()
}

// table has these backends in the pool.
func table(mode Mode, backends ...*backend) Table {
	t := Table{Format: 1, Mode: mode, Port: 80}
	for _, b := range backends {
		t.Backends = append(t.Backends, b.Backend)
	}
	return t.complete()
}

// echo sends its ID, then everything back.
func echo(conn *net.TCPConn) {
	if _, err := fmt.Fprintln(conn, addrPort(conn.LocalAddr()).Addr()); err == nil {
		_, _ = io.Copy(conn, conn)
	}
}

// client is a connection through a gate.
type client struct {
	*net.TCPConn
	t    testing.TB
	from *bufio.Reader
}

func dialGate(g *Gate) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: limit}
	conn, err := d.Dial("tcp", g.Answer().Address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), conn.SetDeadline(time.Now().Add(limit))
}

func connect(t testing.TB, g *Gate) *client {
	t.Helper()
	conn, err := dialGate(g)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{TCPConn: conn, t: t, from: bufio.NewReader(conn)}
}

func (c *client) says(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c, line); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) hears(want string) {
	c.t.Helper()
	if got, err := c.from.ReadString('\n'); err != nil || got != want+"\n" {
		c.t.Fatalf("heard %q, %v, want %q", got, err, want)
	}
}

// ends waits for the end of what it gets and tells how it comes.
func (c *client) ends() error {
	_, err := io.Copy(io.Discard, c.from)
	return err
}

func (c *client) isReset() {
	c.t.Helper()
	if err := c.ends(); !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("the end was %v, want a reset", err)
	}
}

// isTurnedAway connects and expects a reset, which may come before connect(2) is
// through.
func isTurnedAway(t testing.TB, g *Gate) {
	t.Helper()
	conn, err := dialGate(g)
	if err == nil {
		defer conn.Close()
		_, err = io.Copy(io.Discard, conn)
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the end was %v, want a reset", err)
	}
}

func (c *client) hearsTheEnd() {
	c.t.Helper()
	if err := c.ends(); err != nil {
		c.t.Fatal(err)
	}
}

// onDisk is the table that lies in a gate's directory.
func onDisk(t testing.TB, dir string) Table {
	t.Helper()
	table, found, err := store{filepath.Join(dir, TableFile)}.load()
	if err != nil || !found {
		t.Fatalf("on disk: %t, %v", found, err)
	}
	return table
}

// jar keeps a client's cookies of one host.
type jar map[string]*http.Cookie

// SetCookies keeps them.
func (j jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		j[c.Name] = c
	}
}

// Cookies returns all.
func (j jar) Cookies(*url.URL) []*http.Cookie { return slices.Collect(maps.Values(j)) }
