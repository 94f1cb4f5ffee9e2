package gate

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
)

// neighbours are the addresses of a gate in a test, which change as networks do.
type neighbours struct {
	mu    sync.Mutex
	addrs []netip.Addr
	err   error
}

func (n *neighbours) now() ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addrs, n.err
}

func (n *neighbours) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = err
}

func (n *neighbours) set(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs = nil
	for _, a := range addrs {
		n.addrs = append(n.addrs, netip.MustParseAddr(a))
	}
}

// startInside starts a gate that is in networks besides.
func startInside(t *testing.T, n *neighbours) *Gate {
	t.Helper()
	g, err := Start(t.Context(), Options{Dir: place(t), Listen: "127.0.0.1:0", Inside: n.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func freeInside(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// Neighbours get in by the service's own port in every network of the gate, and
// nowhere else; where it is in a network no more, or not yet, follows the tables.
func TestNeighboursGetInInside(t *testing.T) {
	n := &neighbours{}
	n.set("127.0.0.2", "127.0.0.3")
	g := startInside(t, n)
	table, port := table(TCP, serve(t, 1, echo)), freeInside(t)
	table.Inside = port
	at := func(addrs ...string) []string {
		var out []string
		for _, a := range addrs {
			out = append(out, fmt.Sprintf("%s:%d", a, port))
		}
		return out
	}
	inside := func(when string, table Table, want ...string) {
		t.Helper()
		apply(t, g, table)
		if got := g.Answer().Inside; !slices.Equal(got, at(want...)) {
			t.Fatalf("%s: it listens at %q, want %q", when, got, at(want...))
		}
		for _, addr := range at("127.0.0.2", "127.0.0.3", "127.0.0.4") {
			open := slices.Contains(at(want...), addr)
			if got := answersAt(addr); got != open {
				t.Errorf("%s: %s answers: %t, want %t", when, addr, got, open)
			}
		}
	}
	inside("at first", table, "127.0.0.2", "127.0.0.3")
	n.set("127.0.0.3", "127.0.0.4")
	inside("after a change of networks, by the same table", table, "127.0.0.3", "127.0.0.4")
	closed := table
	closed.Backends = nil
	inside("with nobody to serve", closed)
	closed.Hold = &Hold{}
	n.set("127.0.0.3")
	apply(t, g, closed)
	if got := g.Answer().Inside; !slices.Equal(got, at("127.0.0.3")) {
		t.Errorf("while it holds it listens at %q", got)
	}
	inside("with somebody again", table, "127.0.0.3")
	plain := table
	plain.Inside = 0
	inside("without", plain)

	n.fail(errors.New("no networks"))
	if err := g.Apply(table); err != nil {
		t.Fatal(err)
	}
	if a := g.Answer(); !strings.Contains(a.Trouble, "no networks") || !a.Listening {
		t.Errorf("it says %+v: want the trouble inside, and the published port open", a)
	}
	n.fail(nil)
	until(t, "the port inside is tried again", func() bool { return answersAt(at("127.0.0.3")[0]) })
}

// answersAt tells whether somebody behind an address echoes.
func answersAt(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		return false
	}
	_, err = conn.Read(make([]byte, 1))
	return err == nil
}
