package http1

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// errStale says that an idle connection was found closed, or spoken on unasked,
// before a byte of a request was written to it.
var errStale = errors.New("the idle connection is no longer usable")

// errMore says that a request was sent in part.
var errMore = errors.New("more of the request is to be sent")

// upstream is a connection to a backend. One exchange at a time has it.
type upstream struct {
	source
	home   *backend
	client net.Conn // whom it serves; guarded by home.mu
	cut    atomic.Bool

	reused  bool
	spoiled bool          // it cannot be used again
	since   time.Time     // it is idle
	lasts   time.Duration // it may be idle
	wakes   time.Time     // the read deadline; zero: none

	out   []byte                // what ask writes
	sent  int                   // how much of it was written
	wait  bool                  // a response follows
	asked bool                  // all was written
	turn  func(fd uintptr) bool // u.askOnce, made once
}

func newUpstream(conn net.Conn, home *backend, b *boxes) *upstream {
	u := &upstream{home: home}
	u.init(conn, b)
	u.turn = u.askOnce
	return u
}

// ask writes what the kernel takes of out. If that was all, and wait, it waits
// for the first bytes of the response. Both happen below one readiness of the
// socket: whatever comes after the check that the connection is quiet wakes the
// reader, so it need not try in vain first. u.sent is how much was written;
// errMore says that nobody waited.
func (u *upstream) ask(out []byte, wait bool) error {
	if err := u.makeRoom(); err != nil {
		return err
	}
	u.out, u.sent, u.wait, u.asked, u.err = out, 0, wait, false, nil
	defer func() { u.out = nil }()
	if u.raw == nil {
		return u.askPlain()
	}
	err := u.raw.Read(u.turn)
	switch {
	case err != nil:
		return err
	case u.asked:
		return u.taken()
	case u.err != nil:
		return u.err
	}
	return errMore
}

// askOnce is called whenever the socket may have become readable, first at once;
// false lets it wait for that.
func (u *upstream) askOnce(fd uintptr) bool {
	if u.asked {
		return u.readOnce(fd)
	}
	if u.reused && !quiet(fd) {
		u.err = errStale
		return true
	}
	u.sent, u.err = writeSocket(fd, u.out)
	u.asked = u.wait && u.err == nil && u.sent == len(u.out)
	return !u.asked
}

func (u *upstream) askPlain() error {
	n, err := u.conn.Write(u.out)
	u.sent = n
	switch {
	case err != nil:
		return err
	case u.wait:
		return u.fill()
	}
	return errMore
}

// bePatient lets a read return after a while without an answer, so that only
// slow answers cost the watching of the client. The deadline is moved once in
// several requests.
func (u *upstream) bePatient(now time.Time) error {
	if u.wakes.Sub(now) >= patience {
		return nil
	}
	u.wakes = now.Add(2 * patience)
	return u.conn.SetReadDeadline(u.wakes)
}

// waitForever takes the deadline away.
func (u *upstream) waitForever() error {
	u.wakes = time.Time{}
	return u.conn.SetReadDeadline(time.Time{})
}
