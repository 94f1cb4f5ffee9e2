package http1

import (
	"errors"
	"net"
	"time"
)

// exchange is one request and its response.
type exchange struct {
	c   *conn
	req request
	res response
	out []byte  // what is written next, in one piece
	own []byte  // out at first
	box *[]byte // lent, where that was too small

	bodyless bool   // no body answers the request: it is a HEAD
	safe     bool   // the request may be sent twice
	sticky   string // the backend that the client's cookie names

	lease Lease
	home  *backend
	u     *upstream
	fresh bool // the next connection has to be a new one
	cut   bool // the drain's end ended it
	begun bool // the client has got something of the final response

	waiter *waiter
	pump   *pump  // the request's body on its way
	watch  *watch // the client is watched
	vector net.Buffers
	pieces [2][]byte
}

// begin prepares an exchange that may have served another client before.
func (x *exchange) begin(c *conn) {
	*x = exchange{
		c: c, out: x.own[:0], own: x.own[:0], waiter: x.waiter,
		req: request{fields: x.req.fields}, res: response{fields: x.res.fields},
	}
}

// run carries the request whose head is the first n bytes of what is buffered,
// and tells whether the client's connection goes on.
func (x *exchange) run(n int) (keep bool, err error) {
	if bad := x.req.parse(x.c.in.buffered()[:n]); bad != nil {
		return false, x.c.turnAway(bad)
	}
	x.c.posted = string(x.req.method) == "POST"
	x.bodyless, x.safe = x.req.isHead(), x.req.safe()
	if x.c.p.Sticky {
		x.sticky = string(x.req.sticky)
	}
	x.out = x.req.write(x.out, x.c)
	x.c.in.discard(n)
	if err = x.gather(); err == nil {
		err = x.reach()
	}
	if err == nil {
		err = x.answer()
	}
	return x.conclude(err)
}

// conclude ends the exchange: the client's connection goes on, or ends, or is
// told first what went wrong.
func (x *exchange) conclude(err error) (keep bool, _ error) {
	sent := x.joinPump(err == nil)
	x.stopWatch()
	switch {
	case err != nil:
		return x.apologize(err, sent)
	case sent:
		return !x.req.close && !x.c.isEnding(), nil
	}
	x.c.linger() // the answer came before the request was all read
	return false, nil
}

// apologize says what went wrong, where the client can still be told; sent says
// that its request was read to the end.
func (x *exchange) apologize(err error, sent bool) (keep bool, _ error) {
	var bad *refusal
	if x.begun || !errors.As(err, &bad) {
		return false, err
	}
	x.hangUp()
	x.endLease()
	if x.cut { // which has ended all reading and writing
		_ = x.c.in.conn.SetDeadline(time.Now().Add(time.Second))
	}
	keep = bad.status >= 502 && sent && !x.cut && !x.req.close && !x.c.isEnding()
	if err := x.write(bad.write(x.out[:0], x.bodyless, keep), nil); err != nil {
		return false, err
	}
	if keep {
		return true, nil
	}
	x.c.linger()
	return false, bad
}

// write sends head and what follows it to the client, in one piece.
func (x *exchange) write(head, rest []byte) error {
	var err error
	switch {
	case len(rest) <= cap(head)-len(head):
		err = x.c.in.write(append(head, rest...))
	default:
		x.pieces = [2][]byte{head, rest}
		x.vector = x.pieces[:]
		_, err = x.vector.WriteTo(x.c.in.conn)
	}
	if err != nil {
		return errGone
	}
	return nil
}

// settle gives back whatever is left, also when run panicked.
func (x *exchange) settle() {
	x.joinPump(false)
	x.stopWatch()
	x.hangUp()
	x.endLease()
	p := x.c.p
	switch {
	case x.box != nil:
		p.boxes.put(x.box)
	case cap(x.out) > cap(x.own) && cap(x.out) <= smallBox:
		x.own = x.out[:0] // larger heads are usual here
	}
	x.c, x.out, x.box = nil, nil, nil
	p.spare.Put(x)
}

// hangUp closes the connection to the backend, if there is one.
func (x *exchange) hangUp() {
	if x.u == nil {
		return
	}
	x.home.close(x.u)
	x.cut = x.cut || x.u.cut.Load()
	x.u = nil
}

func (x *exchange) endLease() {
	if x.lease != nil {
		x.lease.Done(x.cut)
		x.lease = nil
	}
}
