package http1

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

const (
	// maxInterim bounds the 1xx responses before a final one.
	maxInterim = 32
	// spliceFrom is how much of a body has to follow to be moved by the kernel
	// alone, in bytes; below it the two pipes that this takes cost more.
	spliceFrom = 32 << 10
)

// answer carries the response to the client, interim ones first.
func (x *exchange) answer() error {
	for range maxInterim {
		n, err := x.responseHead()
		if err != nil {
			return err
		}
		if bad := x.res.parse(x.u.buffered()[:n], x.bodyless); bad != nil {
			return bad
		}
		switch {
		case x.res.status == 101:
			return x.changeProtocols(n)
		case x.res.status >= 200:
			return x.final(n)
		}
		if x.req.minor > 0 { // HTTP/1.0 has no interim responses
			x.out = append(x.res.write(x.out[:0], x.req.minor, false), "\r\n"...)
			if err := x.write(x.out, nil); err != nil {
				return err
			}
		}
		x.u.discard(n)
	}
	return refuse(502, "the backend does not get to its answer")
}

// responseHead returns the length of the response's head, which is then buffered.
func (x *exchange) responseHead() (int, error) {
	limit := x.c.p.headerLimit()
	for {
		b := x.u.buffered()
		n := headEnd(b, true)
		if n > limit || n == 0 && len(b) >= limit {
			return 0, refuse(502, "the head of the backend's answer is too large")
		}
		if n > 0 {
			return n, nil
		}
		err := x.fill()
		if errors.Is(err, errFull) {
			err = x.u.grow(limit)
		}
		if err != nil {
			return 0, x.lost(err)
		}
	}
}

// final carries the final response. What is buffered of its body goes with the
// head; whatever comes later goes at once.
func (x *exchange) final(n int) error {
	body := &x.res.body
	body.plain = x.req.minor == 0
	undelimited := body.kind == untilClose || body.kind == chunked && body.plain
	refused := x.req.expects && x.pump != nil && !x.pump.sent.Load() // so its body may never come
	x.req.close = x.req.close || undelimited || refused || x.c.isEnding()

	x.out = x.res.write(x.out[:0], x.req.minor, x.req.close)
	x.out = append(x.writeSticky(x.out), "\r\n"...)
	emit, used, bad := body.take(x.u.buffered()[n:])
	if bad != nil {
		return refuse(502, "the backend's answer is not valid: "+bad.text)
	}
	x.begun = true
	if err := x.write(x.out, emit); err != nil {
		return err
	}
	x.u.discard(n + used)
	if err := x.rest(); err != nil {
		x.truncate()
		return err
	}
	x.finish()
	return nil
}

// rest carries what follows of the body.
func (x *exchange) rest() error {
	body := &x.res.body
	for !body.done() {
		emit, used, bad := body.take(x.u.buffered())
		if bad != nil {
			return bad
		}
		if len(emit) > 0 {
			if err := x.c.in.write(emit); err != nil {
				return errGone
			}
		}
		x.u.discard(used)
		if used > 0 {
			continue
		}
		if ended, err := x.more(); ended || err != nil {
			return err
		}
	}
	return nil
}

// more gets more of the body, and tells whether a body without a length has
// ended.
func (x *exchange) more() (ended bool, err error) {
	body := &x.res.body
	long := body.kind == untilClose || body.kind == counted && body.left >= spliceFrom
	if long && x.u.tcp != nil && x.c.in.tcp != nil {
		return x.splice()
	}
	x.u.widen()
	err = x.fill()
	if errors.Is(err, io.EOF) && body.kind == untilClose {
		return true, nil
	}
	if err != nil {
		return false, x.lost(err)
	}
	return false, nil
}

// splice lets the kernel move the rest of a body.
func (x *exchange) splice() (ended bool, err error) {
	body := &x.res.body
	x.u.release()
	from := &io.LimitedReader{R: x.u.tcp, N: math.MaxInt64}
	if body.kind == counted {
		from.N = body.left
	}
	_, err = x.c.in.tcp.ReadFrom(from)
	if body.kind == counted {
		body.left = from.N
	}
	switch {
	case err == nil && body.kind == untilClose:
		return true, nil
	case err == nil && body.left > 0:
		err = io.ErrUnexpectedEOF
	case isTimeout(err) && !x.u.cut.Load(): // its patience is over, not ours
		if err = x.bear(err); errors.Is(err, io.EOF) && body.kind == untilClose {
			return true, nil
		}
	}
	if err != nil {
		return false, x.lost(fmt.Errorf("carry the response: %w", err))
	}
	return false, nil
}

// finish gives the connection to the backend back, or closes it.
func (x *exchange) finish() {
	u := x.u
	x.stopWatch() // which may still close the connection
	good := x.pump == nil && x.req.body.done() || x.pump != nil && x.joinPump(true)
	if good && !x.res.close && !u.spoiled && len(u.buffered()) == 0 {
		u.lasts = idleFor
		if x.res.lasts > 0 { // it says so; a second less, for the way
			u.lasts = min(idleFor, max(x.res.lasts-time.Second, x.res.lasts/2))
		}
		x.home.keep(u, time.Now())
	} else {
		x.home.close(u)
	}
	if u.cut.Load() { // which has also ended the client's connection
		x.req.close = true
	}
	x.u = nil
	x.endLease()
}

// truncate makes sure that the client does not take for whole what is not.
func (x *exchange) truncate() {
	if x.res.body.kind == untilClose && x.c.in.tcp != nil {
		_ = x.c.in.tcp.SetLinger(0) // then closing it is a reset
	}
}
