package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
)

func TestAnEmptyPoolClosesThePortAndABackendOpensIt(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b))
	address := g.Answer().Address
	connect(t, g).hears(b.ID)

	apply(t, g, table(TCP, b).draining(b.ID))
	if got := g.Answer(); got.Listening || got.Address != "" {
		t.Errorf("it says %+v", got)
	}
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting: %v", err)
	}
	apply(t, g, table(TCP, b))
	if got := g.Answer(); !got.Listening || got.Address != address {
		t.Errorf("it says %+v, want %s", got, address)
	}
	connect(t, g).hears(b.ID)
}

func TestANewBackendEntersAtOnceAndTheOldOneGetsNothingNew(t *testing.T) {
	v1, v2 := serve(t, 1, echo), serve(t, 2, echo)
	g := start(t, table(TCP, v1))
	inFlight := connect(t, g)
	inFlight.hears(v1.ID)

	apply(t, g, table(TCP, v1, v2).draining(v1.ID))
	for range 20 {
		connect(t, g).hears(v2.ID)
	}
	inFlight.says("still here")
	inFlight.hears("still here")
}

func TestWhatOutlastsTheDrainIsResetAndCounted(t *testing.T) {
	v1, v2 := serve(t, 1, echo), serve(t, 2, echo)
	g := start(t, table(TCP, v1))
	c := connect(t, g)
	c.hears(v1.ID)
	apply(t, g, table(TCP, v2).drain(50*time.Millisecond)) // out of the table is draining too
	c.isReset()
	until(t, "the backend's connection ends", func() bool {
		got := g.Answer()
		return got.Totals.Cut == 1 && len(got.Backends) == 1 && got.Backends[0].ID == v2.ID
	})
}

func TestAHeldConnectionIsServedWhenSomebodyEnters(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP).held(10, time.Minute))
	c := connect(t, g)
	c.says("early")
	until(t, "it waits", func() bool { return g.Answer().Waiting == 1 })
	apply(t, g, table(TCP, b))
	c.hears(b.ID)
	c.hears("early")
	if n := g.Answer().Totals; n.Held != 1 || n.Accepted != 1 || n.Refused != 0 {
		t.Errorf("counted %+v", n)
	}
}

func TestAHeldConnectionIsClosedOverTheBounds(t *testing.T) {
	g := start(t, table(TCP).held(1, 200*time.Millisecond))
	first := connect(t, g)
	until(t, "it waits", func() bool { return g.Answer().Waiting == 1 })
	isTurnedAway(t, g)
	first.isReset()
	if n := g.Answer().Totals; n.HeldTooMany != 1 || n.HeldTooLong != 1 {
		t.Errorf("counted %+v", n)
	}
}

func TestAnotherBackendIsTriedAtOnce(t *testing.T) {
	down, up := serve(t, 1, echo), serve(t, 2, echo)
	down.close()
	g := start(t, table(TCP, down, up))
	for range 10 {
		connect(t, g).hears(up.ID)
	}
	got := g.Answer()
	if s := got.Backends[0]; !s.Ejected || s.Failed != 1 || s.Served != 0 {
		t.Errorf("it says %+v", s)
	}
	down.open()
	until(t, "it is back", func() bool { return !g.Answer().Backends[0].Ejected })
	connect(t, g).hears(down.ID)
}

func TestABackendThatRestartsCostsNoConnection(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b))
	b.close()
	var clients []*client
	for range 20 {
		clients = append(clients, connect(t, g))
	}
	until(t, "all wait", func() bool { return g.Answer().Waiting == 20 })
	b.open()
	for _, c := range clients {
		c.hears(b.ID)
	}
}

func TestOneThatNeverComesBackIsGivenUp(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b).held(10, 300*time.Millisecond))
	b.close()
	isTurnedAway(t, g)
	if n := g.Answer().Totals.HeldTooLong; n != 1 {
		t.Errorf("%d are counted", n)
	}
}

// TestABackendThatDoesNotAcceptIsGivenUpAfterASecond: its kernel's queue is full,
// and so drops who knocks.
func TestABackendThatDoesNotAcceptIsGivenUpAfterASecond(t *testing.T) {
	deaf := serve(t, 1, echo)
	deaf.close()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	at := &syscall.SockaddrInet4{Port: int(deaf.Port), Addr: netip.MustParseAddr(deaf.ID).As4()}
	if err := errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), syscall.Bind(fd, at), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		d := net.Dialer{Timeout: 100 * time.Millisecond}
		if conn, err := d.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr(deaf.ID), deaf.Port).String()); err == nil {
			defer conn.Close()
		}
	}
	up := serve(t, 2, echo)
	g := start(t, table(TCP, deaf, up))
	began := time.Now()
	connect(t, g).hears(up.ID)
	if took := time.Since(began); took < dialLimit*9/10 || took > 3*dialLimit {
		t.Errorf("it took %s", took)
	}
	if s := g.Answer().Backends[0]; !s.Ejected || s.Failed != 1 {
		t.Errorf("it says %+v", s)
	}
	connect(t, g).hears(up.ID)
}

func TestTheSameTableTwiceChangesNothing(t *testing.T) {
	b := serve(t, 1, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, b))
	before, err := os.Stat(filepath.Join(dir, TableFile))
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, g)
	c.hears(b.ID)
	apply(t, g, table(TCP, b))
	after, err := os.Stat(filepath.Join(dir, TableFile))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("the table was written again: %v", err)
	}
	c.says("on")
	c.hears("on")
}

func TestATableThatCannotBeWrittenIsNotInForce(t *testing.T) {
	b := serve(t, 1, echo)
	dir := place(t)
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	apply(t, g, table(TCP, b))
	if err := os.MkdirAll(filepath.Join(dir, TableFile+".new", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := g.Apply(table(TCP))
	if fault.Of(err) != fault.Blocked || fault.Advice(err) == "" {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
	connect(t, g).hears(b.ID)
	if got, want := g.Answer().Digest, onDisk(t, dir).Digest(); got != want || want != table(TCP, b).Digest() {
		t.Errorf("in force %s, on disk %s", got, want)
	}
}

func TestATableThatIsWrongIsNotInForce(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b))
	wrong := table(TCP)
	wrong.Port = 0
	if err := g.Apply(wrong); fault.Of(err) != fault.Rejected {
		t.Errorf("got %v", err)
	}
	connect(t, g).hears(b.ID)
}

func TestADamagedTableOnDiskIsToldAndAnotherAwaited(t *testing.T) {
	dir := place(t)
	if err := os.WriteFile(filepath.Join(dir, TableFile), []byte(`{"format":1,`), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startIn(t.Context(), t, dir, "127.0.0.1:0")
	if got := g.Answer(); got.Listening || got.Digest != "" || !strings.Contains(got.Trouble, TableFile) {
		t.Errorf("it says %+v", got)
	}
	b := serve(t, 1, echo)
	apply(t, g, table(TCP, b))
	connect(t, g).hears(b.ID)
	if got := g.Answer().Trouble; got != "" {
		t.Errorf("it still says %q", got)
	}
}

func TestAPortInUseIsToldAndTriedAgain(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := serve(t, 1, echo)
	g := startAt(t, other.Addr().String(), table(TCP, b))
	if got := g.Answer(); got.Listening || !strings.Contains(got.Trouble, "address already in use") {
		t.Errorf("it says %+v", got)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the port is open", func() bool { return g.Answer().Listening })
	connect(t, g).hears(b.ID)
	if got := g.Answer().Trouble; got != "" {
		t.Errorf("it still says %q", got)
	}
}

func TestTheEndWaitsForWhatIsInFlight(t *testing.T) {
	b := serve(t, 1, echo)
	ctx, end := context.WithCancel(t.Context())
	g := startIn(ctx, t, place(t), "127.0.0.1:0")
	apply(t, g, table(TCP, b).drain(limit))
	c := connect(t, g)
	c.hears(b.ID)
	end()
	until(t, "the port is closed", func() bool { return !g.Answer().Listening })
	if err := g.Apply(table(TCP)); fault.Of(err) != fault.Unreachable {
		t.Errorf("a table at the end: %v", err)
	}
	c.says("last words")
	c.hears("last words")
	select {
	case <-g.ended:
		t.Fatal("it did not wait")
	default:
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.hearsTheEnd()
	g.Wait()
	if n := g.Answer().Totals; n.Cut != 0 || n.Panics != 0 {
		t.Errorf("counted %+v", n)
	}
}

func TestTheEndCutsWhatOutlastsTheDrain(t *testing.T) {
	b := serve(t, 1, echo)
	ctx, end := context.WithCancel(t.Context())
	g := startIn(ctx, t, place(t), "127.0.0.1:0")
	apply(t, g, table(TCP, b).drain(50*time.Millisecond))
	c := connect(t, g)
	c.hears(b.ID)
	end()
	c.isReset()
	g.Wait()
	if n := g.Answer().Totals.Cut; n != 1 {
		t.Errorf("%d are counted", n)
	}
}

func TestCloseDoesNotWait(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b).drain(time.Hour))
	served := connect(t, g)
	served.hears(b.ID)
	began := time.Now()
	g.Close()
	served.isReset()
	if took := time.Since(began); took > limit/2 {
		t.Errorf("it took %s", took)
	}
}

func TestTheEndLetsNobodyTryOn(t *testing.T) {
	inPool(t, func(t *testing.T, p *pool, w *world) {
		p.set(these(a).held(10, time.Hour))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		m := tcpMode{pool: p, stock: newStock()}
		if _, _, err := m.reach(ctx); !errors.Is(err, context.Canceled) || len(w.dialled(a)) != 1 {
			t.Errorf("got %v after %d dials", err, len(w.dialled(a)))
		}
	})
}

// TestNobodyInTheQueueIsLostAtTheEnd connects as fast as it can while the port
// closes: who got a connection gets an answer.
func TestNobodyInTheQueueIsLostAtTheEnd(t *testing.T) {
	b := serve(t, 1, func(conn *net.TCPConn) {
		if _, err := fmt.Fprintln(conn, "answer"); err == nil {
			_, _ = io.Copy(io.Discard, conn)
		}
	})
	var served, refused, lost atomic.Int32
	for range 5 {
		ctx, end := context.WithCancel(t.Context())
		g := startIn(ctx, t, place(t), "127.0.0.1:0")
		apply(t, g, table(TCP, b))
		address := g.Answer().Address
		var clients sync.WaitGroup
		before := served.Load()
		for range 8 {
			clients.Go(func() { storm(address, &served, &refused, &lost) })
		}
		until(t, "the storm blows", func() bool { return served.Load() > before+50 })
		end()
		clients.Wait()
		g.Wait()
	}
	if lost.Load() > 0 || refused.Load() == 0 {
		t.Errorf("served %d, refused %d, lost %d", served.Load(), refused.Load(), lost.Load())
	}
}

// storm asks again and again until it is refused or not answered.
func storm(address string, served, refused, lost *atomic.Int32) {
	d := net.Dialer{Timeout: limit}
	for {
		conn, err := d.Dial("tcp", address)
		if err != nil {
			refused.Add(1)
			return
		}
		got := make([]byte, 7)
		_, err = io.ReadFull(conn, got)
		_ = conn.Close()
		if err != nil {
			lost.Add(1)
			return
		}
		served.Add(1)
	}
}

func TestTheQueueIsLetInWhenThePortCloses(t *testing.T) {
	ln, err := listenTCP(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var entered []*net.TCPConn
	d := door{at: ln.Addr().String(), enter: func(c *net.TCPConn) { entered = append(entered, c) }}
	_, cancel := context.WithCancel(t.Context())
	d.now = &opening{address: d.at, listener: ln, closing: cancel} // nobody accepts
	for range 20 {
		conn, err := net.Dial("tcp", d.at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if err := d.now.shut(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", d.at); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while the queue is emptied: %v", err)
	}
	if err := d.close(); err != nil {
		t.Error(err)
	}
	if len(entered) != 20 {
		t.Errorf("%d were let in", len(entered))
	}
	for _, c := range entered {
		_ = c.Close()
	}
}

func TestAPanicCostsOneConnection(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b))
	reach := g.pool.reach
	g.pool.reach = func(ctx context.Context, m *member) (net.Conn, error) {
		if g.Answer().Totals.Panics == 0 {
			panic("broken")
		}
		return reach(ctx, m)
	}
	if err := connect(t, g).ends(); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("it ended with %v", err)
	}
	until(t, "it is counted", func() bool { return g.Answer().Totals.Panics == 1 })
	connect(t, g).hears(b.ID)
}
