package gate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// nameServer answers questions for A records with one address, as Docker's
// embedded DNS does, and counts them.
func nameServer(t *testing.T, name string, addr [4]byte) (lookup, *atomic.Int32) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			q := make([]byte, 512)
			n, from, err := server.ReadFrom(q)
			if err != nil {
				return
			}
			if answer := answerTo(q[:n], name, addr, &asked); answer != nil {
				_, _ = server.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	return r.LookupNetIP, &asked
}

// answerTo writes a DNS message (RFC 1035, section 4): the question back, and
// one record for it.
func answerTo(q []byte, name string, addr [4]byte, asked *atomic.Int32) []byte {
	end := 12
	var labels []string
	for q[end] != 0 {
		labels = append(labels, string(q[end+1:end+1+int(q[end])]))
		end += 1 + int(q[end])
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end+5]...)
	switch {
	case strings.Join(labels, ".") != name:
		out[3] |= 3 // there is no such name
	case kind == 1:
		asked.Add(1)
		out[7] = 1
		out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4)
		out = append(out, addr[:]...)
	}
	return out
}

func TestABackendIsFoundByItsID(t *testing.T) {
	const id = "0123456789ab"
	ask, asked := nameServer(t, id, [4]byte{127, 0, 0, 9})
	h := newHost(id)
	var all sync.WaitGroup
	for range 20 { // who comes together asks once
		all.Go(func() {
			if got, err := h.address(t.Context(), ask); err != nil || got != netip.MustParseAddr("127.0.0.9") {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	all.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	h.forget()
	if _, err := h.address(t.Context(), ask); err != nil || asked.Load() != 2 {
		t.Errorf("after a failed dial: asked %d times, %v", asked.Load(), err)
	}
	unknown := newHost("ba9876543210")
	if _, err := unknown.address(t.Context(), ask); err == nil || !blames(err) {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestAnAddressIsBelievedForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		ask := func(_ context.Context, network, name string) ([]netip.Addr, error) {
			if network != "ip" || name != "0123456789ab." { // the dot: no domain is searched
				t.Errorf("asked for %s %s", network, name)
			}
			asked++
			return []netip.Addr{netip.MustParseAddr("fd00::1"), netip.MustParseAddr("10.0.0.1")}, nil
		}
		h := newHost("0123456789ab")
		for _, want := range []int{1, 1, 2} {
			got, err := h.address(t.Context(), ask)
			if err != nil || got != netip.MustParseAddr("10.0.0.1") || asked != want {
				t.Errorf("got %v, %v, asked %d times, want %d", got, err, asked, want)
			}
			pass(keepAddress / 2)
		}
	})
}

func TestAnAddressIsNotAskedFor(t *testing.T) {
	h := newHost("::ffff:10.0.0.1")
	got, err := h.address(t.Context(), func(context.Context, string, string) ([]netip.Addr, error) {
		t.Error("asked")
		return nil, nil
	})
	if err != nil || got != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAskingIsGivenUpWithTheDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{lookup: func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		began := time.Now()
		_, err := d.dial(t.Context(), newMember(Backend{ID: "0123456789ab", Port: 80}))
		if err == nil || !blames(err) || time.Since(began) != dialLimit {
			t.Errorf("got %v after %s", err, time.Since(began))
		}
	})
}

// finds is a resolver that says one thing after the other.
func finds(said ...any) lookup {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		next := said[0]
		said = said[1:]
		if err, ok := next.(error); ok {
			return nil, err
		}
		return []netip.Addr{netip.MustParseAddr(next.(string))}, nil
	}
}

func TestWhatTheGateLacksIsTriedAgain(t *testing.T) {
	b := serve(t, 1, echo)
	d := newDialer()
	d.lookup = finds(fmt.Errorf("ask: %w", syscall.EMFILE), syscall.ENFILE, b.ID)
	conn, err := d.dial(t.Context(), newMember(Backend{ID: "0123456789ab", Port: b.Port}))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

func TestAFailedDialForgetsTheAddress(t *testing.T) {
	b := serve(t, 1, echo)
	d := newDialer()
	d.lookup = finds("127.0.1.99", b.ID)
	m := newMember(Backend{ID: "0123456789ab", Port: b.Port})
	if _, err := d.dial(t.Context(), m); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatal(err)
	}
	conn, err := d.dial(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
}

// An address that is on none of the gate's networks is nobody's: a gate that has
// left a network would find another host there, by its default route.
func TestNothingGoesByTheDefaultRoute(t *testing.T) {
	_, err := newDialer().dial(t.Context(), newMember(Backend{ID: "203.0.113.1", Port: 80})) // TEST-NET-3, RFC 5737
	if !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("got %v, want no route", err)
	}
}
