package gate

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// tunnel is a client's connection and its backend's, in tcp mode. What comes in
// at one end goes out at the other: bytes, the end of one direction, a reset.
type tunnel struct {
	client, backend *net.TCPConn
	stock           *stock
	panicked        func(any)

	open   atomic.Int32 // directions that still carry
	broken atomic.Bool  // one end took no more
	cut    atomic.Bool
}

// run carries until both directions have ended, and closes both connections.
func (t *tunnel) run() {
	t.open.Store(2)
	back := make(chan struct{})
	go func() {
		defer close(back)
		t.carry(t.client, t.backend)
	}()
	t.carry(t.backend, t.client)
	<-back
}

// carry takes everything from src to dst. A reset of src resets both. Where dst
// takes no more, what it had sent before still goes the other way.
func (t *tunnel) carry(dst, src *net.TCPConn) {
	defer t.contain()
	err := pumpAll(dst, src, t.stock)
	switch {
	case errors.Is(err, errSink):
		t.broken.Store(true)
	case err != nil:
		t.abort()
		return
	}
	switch last := t.open.Add(-1) == 0; {
	case last && t.broken.Load():
		t.abort()
	case last:
		t.close()
	case err == nil:
		t.halfClose(dst, src)
	}
}

// halfClose passes on that src has sent everything, and waits, while the other
// direction goes on, for the news that src is gone altogether: keep-alive
// brings it as a reset.
func (t *tunnel) halfClose(dst, src *net.TCPConn) {
	if dst.CloseWrite() != nil { // the other direction meets what is wrong with it
		return
	}
	raw, err := src.SyscallConn()
	if err != nil {
		return
	}
	if raw.Read(wasReset) == nil {
		t.abort()
	}
}

// wasReset tells whether a connection that has sent its end is no more: such a
// socket reads as ended before and after, but has an error.
func wasReset(fd uintptr) bool {
	v, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	return err != nil || v != 0
}

// contain ends the tunnel, and not the gate, where its own code fails.
func (t *tunnel) contain() {
	if failure := recover(); failure != nil {
		t.panicked(failure)
		t.abort()
	}
}

// sever cuts what is in flight: both sides see a reset, which no one takes for a
// whole answer.
func (t *tunnel) sever() {
	t.cut.Store(true)
	t.abort()
}

// abort resets both connections.
func (t *tunnel) abort() {
	reset(t.client)
	reset(t.backend)
}

func (t *tunnel) close() {
	_ = t.client.Close()
	_ = t.backend.Close()
}

// reset closes a connection such that the other side sees it as broken off. One
// that is closed already stays as it is.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
