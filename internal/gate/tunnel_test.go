package gate

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestTheEndOfOneDirectionLeavesTheOther(t *testing.T) {
	// The backend ends first and hears on; then the other way round.
	heard := make(chan string, 1)
	b := serve(t, 1, func(conn *net.TCPConn) {
		_, _ = io.WriteString(conn, "all there is\n")
		_ = conn.CloseWrite()
		raw, err := io.ReadAll(conn)
		heard <- fmt.Sprint(string(raw), err)
	})
	g := start(t, table(TCP, b))
	c := connect(t, g)
	c.hears("all there is")
	c.hearsTheEnd()
	c.says("afterwards")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "afterwards\n<nil>" {
		t.Errorf("the backend heard %q", got)
	}

	e := serve(t, 2, func(conn *net.TCPConn) {
		raw, _ := io.ReadAll(conn)
		_, _ = conn.Write(raw)
	})
	apply(t, g, table(TCP, e))
	c = connect(t, g)
	c.says("one")
	c.says("two")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.hears("one")
	c.hears("two")
	c.hearsTheEnd()
	until(t, "both ended", func() bool { return g.Answer().Backends[0].InFlight == 0 })
}

func TestAClientsResetIsOneAtTheBackend(t *testing.T) {
	ended := make(chan error, 1)
	b := serve(t, 1, func(conn *net.TCPConn) {
		_, _ = fmt.Fprintln(conn, "hello")
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	})
	g := start(t, table(TCP, b))
	c := connect(t, g)
	c.hears("hello")
	reset(c.TCPConn)
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the backend saw %v", err)
	}
	until(t, "it ended", func() bool { return g.Answer().Backends[0].InFlight == 0 })
}

func TestABackendsResetIsOneAtTheClient(t *testing.T) {
	b := serve(t, 1, func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 5))
		reset(conn)
	})
	g := start(t, table(TCP, b))
	c := connect(t, g)
	c.says("dear")
	c.isReset()
}

// TestAnEarlyAnswerArrives: the backend answers and closes while the client
// still sends, so that its kernel resets the connection.
func TestAnEarlyAnswerArrives(t *testing.T) {
	b := serve(t, 1, func(conn *net.TCPConn) {
		_, _ = io.ReadFull(conn, make([]byte, 1))
		_, _ = fmt.Fprintln(conn, "too large")
	})
	g := start(t, table(TCP, b))
	c := connect(t, g)
	go func() { _, _ = c.Write(make([]byte, 8<<20)) }()
	c.hears("too large")
	if err := c.ends(); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("it ended with %v", err)
	}
	until(t, "it ended", func() bool { return g.Answer().Backends[0].InFlight == 0 })
}

// TestOneThatIsGoneAltogetherIsNoticed: its end had come, its reset comes later,
// and nobody writes to it.
func TestOneThatIsGoneAltogetherIsNoticed(t *testing.T) {
	gone := make(chan struct{})
	b := serve(t, 1, func(conn *net.TCPConn) {
		_ = conn.CloseWrite()
		<-gone
		reset(conn)
	})
	g := start(t, table(TCP, b))
	c := connect(t, g)
	c.hearsTheEnd()
	close(gone)
	until(t, "it ended", func() bool { return g.Answer().Backends[0].InFlight == 0 })
}

func TestEveryByteArrivesInBothDirections(t *testing.T) {
	b := serve(t, 1, func(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) })
	g := start(t, table(TCP, b))
	c := connect(t, g)
	const size = 64 << 20
	sent := sha256.New()
	go func() {
		noise := rand.NewChaCha8([32]byte{1})
		sizes := rand.New(noise)
		for left := size; left > 0; {
			piece := make([]byte, min(left, 1+sizes.IntN(300<<10)))
			_, _ = noise.Read(piece)
			left -= len(piece)
			sent.Write(piece)
			if _, err := c.Write(piece); err != nil {
				t.Error(err)
				break
			}
		}
		_ = c.CloseWrite()
	}()
	got := sha256.New()
	n, err := io.Copy(got, c)
	if err != nil || n != size || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		t.Errorf("%d bytes of %d came back, %v; equal: %t", n, size, err, bytes.Equal(got.Sum(nil), sent.Sum(nil)))
	}
	if len(g.stock.pipes) == 0 {
		t.Error("nothing was spliced")
	}
}

func TestAnIdleConnectionHoldsNeitherBufferNorPipe(t *testing.T) {
	b := serve(t, 1, func(conn *net.TCPConn) { // has no pipe either
		_, _ = fmt.Fprintln(conn, "127.0.1.1")
		_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn})
	})
	g := start(t, table(TCP, b))
	descriptors := func() int {
		found, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	first := connect(t, g)
	first.hears(b.ID)
	before := descriptors()
	for range 50 {
		c := connect(t, g)
		c.hears(b.ID)
		big := make([]byte, 1<<20)
		go func() { _, _ = c.Write(big) }()
		if _, err := io.ReadFull(c.from, make([]byte, len(big))); err != nil {
			t.Fatal(err)
		}
	}
	// A connection has two ends here and two at the gate.
	until(t, "only sockets and the kept pipes are left", func() bool { return descriptors() <= before+4*50+2*keptPipes })
	if len(g.stock.pipes) > keptPipes {
		t.Errorf("%d pipes are kept", len(g.stock.pipes))
	}
}

func TestTheBackendIsToldWhoConnects(t *testing.T) {
	heard := make(chan []byte, 1)
	b := serve(t, 1, func(conn *net.TCPConn) {
		raw := make([]byte, 28+6)
		_, _ = io.ReadFull(conn, raw)
		heard <- raw
	})
	announced := table(TCP, b)
	announced.ProxyProtocol = true
	g := start(t, announced)
	c := connect(t, g)
	c.says("hello")
	raw := <-heard
	from, to, err := readHeader(raw[:28])
	if err != nil || from != addrPort(c.LocalAddr()) || to != addrPort(c.RemoteAddr()) || string(raw[28:]) != "hello\n" {
		t.Errorf("it was told %v to %v, %v, then %q", from, to, err, raw[28:])
	}
}

func TestAProbeSaysThatNobodyIsBehindIt(t *testing.T) {
	heard := make(chan []byte, 2)
	b := serve(t, 1, func(conn *net.TCPConn) {
		raw, _ := io.ReadAll(conn)
		heard <- raw
	})
	announced := table(TCP, b).held(10, limit)
	announced.ProxyProtocol = true
	g := start(t, announced)
	b.close()
	c := connect(t, g)
	until(t, "it waits", func() bool { return g.Answer().Waiting == 1 })
	b.open()
	if raw := <-heard; !bytes.Equal(raw, localHeader()) {
		t.Errorf("the probe said %q", raw)
	}
	_ = c.Close()
}

func TestConnectionsAreKeptAliveAndDoNotDelay(t *testing.T) {
	b := serve(t, 1, echo)
	g := start(t, table(TCP, b))
	connect(t, g).hears(b.ID)
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	for conn := range g.crowd.conns {
		checkOptions(t, conn)
	}
	m := newMember(b.Backend)
	conn, err := newDialer().dial(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	checkOptions(t, conn.(*net.TCPConn))
}

func checkOptions(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for _, o := range []struct{ level, name, want int }{
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
			{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
			{syscall.IPPROTO_TCP, userTimeout, 0},
		} {
			if got, err := syscall.GetsockoptInt(int(fd), o.level, o.name); err != nil || got != o.want {
				t.Errorf("option %d.%d is %d, %v, want %d", o.level, o.name, got, err, o.want)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestABackendThatNeverAnswersIsNoReasonToClose(t *testing.T) {
	silent := serve(t, 1, func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
	g := start(t, table(TCP, silent))
	var clients []*client
	for range 50 {
		c := connect(t, g)
		c.says("anybody?")
		clients = append(clients, c)
	}
	until(t, "all are carried", func() bool { return g.Answer().Backends[0].InFlight == 50 })
	for _, c := range clients {
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("it ended with %v", err)
		}
		_ = c.Close()
	}
	until(t, "all ended", func() bool { return g.Answer().Backends[0].InFlight == 0 })
}
