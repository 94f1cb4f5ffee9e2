package http1

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// maxTries bounds how many backends one request tries.
const maxTries = 16

// patience is how long an answer may take, at least, before its client is watched.
const patience = 50 * time.Millisecond

// errUnsent says that nothing of the request has reached a backend.
var errUnsent = errors.New("nothing was sent")

func nobody() *refusal { return refuse(503, "no backend answers") }

// reach gets the request to a backend, until the first bytes of the response are
// there. Another backend is tried only while nothing was sent.
func (x *exchange) reach() error {
	var except []string
	for range maxTries {
		if err := x.pick(except); err != nil {
			return err
		}
		err := x.attempt()
		if err == nil || !errors.Is(err, errUnsent) {
			return err
		}
		except = append(except, x.lease.ID())
		x.endLease()
	}
	return nobody()
}

// pick takes a lease. The pool may let it wait for one.
func (x *exchange) pick(except []string) error {
	w := x.waiter
	if w == nil {
		w = new(waiter)
	}
	x.waiter = nil
	w.begin(x.c)
	lease, err := x.c.p.Pool.Pick(w, x.sticky, except)
	gone, used := w.end()
	if !used { // otherwise somebody may still hold it
		x.waiter = w
	}
	switch {
	case err != nil && gone:
		return errGone
	case err != nil:
		return nobody()
	}
	x.lease, x.home = lease, x.c.p.backend(lease)
	return nil
}

// attempt sends the request to the leased backend: over idle connections until
// one is found alive, then over a new one. A connection that was closed before
// the first byte of a response may have been closed before the request came: one
// that may be sent twice is, once.
func (x *exchange) attempt() error {
	for {
		if err := x.connect(); err != nil {
			return err
		}
		err := x.send()
		if err == nil {
			return nil
		}
		if err = x.lost(err); !x.mayRepeat(err) {
			return err
		}
		again := x.u.reused && !x.cut
		x.stopWatch() // it watches over this connection
		x.hangUp()
		if !again {
			x.cut = false // which took nothing with it
			return fmt.Errorf("write to %s: %w", x.lease.ID(), errUnsent)
		}
	}
}

// mayRepeat tells whether the request, which has failed, may be sent once more.
func (x *exchange) mayRepeat(err error) bool {
	switch u := x.u; {
	case x.pump != nil || errors.Is(err, errGone):
		return false
	case u.sent == 0:
		return true
	case !u.reused || !x.safe || x.fresh || x.cut || len(u.buffered()) > 0:
		return false
	}
	x.fresh = true
	return true
}

func (x *exchange) connect() error {
	client := x.c.in.conn
	now := time.Now()
	if !x.fresh {
		age := idleFor
		if !x.safe {
			age = freshFor
		}
		x.u = x.home.take(client, age, now)
	}
	if x.u == nil {
		u, err := x.home.dial(x.c.base, x.lease, client, &x.c.p.boxes)
		if err != nil {
			return fmt.Errorf("connect to %s: %w: %w", x.lease.ID(), errUnsent, err)
		}
		x.u = u
	}
	_ = x.u.bePatient(now) // on a closed connection, sending fails
	return nil
}

// send writes the request and waits for the first bytes of the response. What
// does not go out at once, or is still to come from the client, is the pump's:
// the backend may answer first, and take no more until that is read.
func (x *exchange) send() error {
	for {
		err := x.u.ask(x.out, x.req.body.done())
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errMore):
			x.startPump(x.out[x.u.sent:])
			return x.fill()
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case x.u.sent > 0:
			return x.bear(err)
		}
		_ = x.u.bePatient(time.Now()) // it was over before anything was written
	}
}

// fill reads more of the response, for as long as that takes.
func (x *exchange) fill() error {
	err := x.u.fill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return x.bear(err)
	}
	return err
}

// bear goes on waiting when an answer is slow, and has the client watched: by
// whatever reads its body, else by a goroutine that exists for slow answers only.
func (x *exchange) bear(err error) error {
	for errors.Is(err, os.ErrDeadlineExceeded) {
		if x.pump != nil && !x.pump.sent.Load() {
			err = x.u.bePatient(time.Now())
		} else {
			x.startWatch()
			err = x.u.waitForever()
		}
		if err == nil {
			err = x.u.fill()
		}
	}
	return err
}

// lost says why no answer, or no more of it, has come.
func (x *exchange) lost(err error) error {
	if x.u.cut.Load() {
		x.cut = true
		return refuse(502, "the backend was still at work at the end of its drain")
	}
	if x.watch != nil && x.watch.gone.Load() {
		return errGone
	}
	if x.pump != nil {
		if err := x.pump.failure(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: %w", refuse(502, "the backend ended the connection before it had answered"), err)
}
