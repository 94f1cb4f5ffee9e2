package http1

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// pump carries a request's body that was not all there with its head, while the
// exchange waits for the response, which may begin before the body has ended.
type pump struct {
	in    *source
	u     *upstream
	first []byte // what is left of the head and of what came with it
	body  framing
	sent  atomic.Bool // all is
	done  chan struct{}
	err   error // what was wrong with the client's part; read after done
}

func (x *exchange) startPump(first []byte) {
	x.pump = &pump{in: &x.c.in, u: x.u, first: first, body: x.req.body, done: make(chan struct{})}
	if len(first) > 0 {
		x.out = nil // it is the pump's; the response gets another
	}
	_ = x.c.setDeadline(time.Time{}) // on a closed connection the pump's read fails
	go x.pump.run()
}

func (p *pump) run() {
	defer close(p.done)
	defer func() {
		if r := recover(); r != nil {
			p.fail(fmt.Errorf("carry a request's body: %v", r))
		}
	}()
	if len(p.first) > 0 {
		if err := p.u.write(p.first); err != nil {
			return
		}
	}
	for !p.body.done() {
		emit, used, bad := p.body.take(p.in.buffered())
		if bad != nil {
			p.fail(bad)
			return
		}
		if len(emit) > 0 {
			if err := p.u.write(emit); err != nil {
				return // the backend wants no more; what it says of that is being read
			}
		}
		p.in.discard(used)
		if used > 0 {
			continue
		}
		if ok, err := p.more(); !ok {
			p.fail(err)
			return
		}
	}
	p.sent.Store(true)
}

// more gets more of the body: past this process, where there is much. An error of
// nil with false is the backend's.
func (p *pump) more() (bool, error) {
	if p.body.kind == counted && p.body.left >= spliceFrom && p.in.tcp != nil && p.u.tcp != nil {
		p.in.release()
		from := &io.LimitedReader{R: p.in.tcp, N: p.body.left}
		_, err := p.u.tcp.ReadFrom(from)
		p.body.left = from.N
		switch {
		case err == nil && p.body.left == 0:
			return true, nil
		case err != nil && !p.in.isGone():
			return false, nil
		}
		return false, errGone
	}
	p.in.widen()
	if err := p.in.fill(); err != nil {
		return false, errGone
	}
	return true, nil
}

// fail gives the request up: the backend must not take it for a whole one.
func (p *pump) fail(err error) {
	p.err = err
	if err != nil {
		_ = p.u.conn.Close() // which wakes the exchange
	}
}

// failure says what was wrong with the client's part, if it has ended the pump.
func (p *pump) failure() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// joinPump ends the sending of the body, and tells whether all of it was sent. A
// backend may answer in the moment in which it gets the last byte, so where the
// answer was good the pump has a moment to say that it was the last.
func (x *exchange) joinPump(good bool) bool {
	p := x.pump
	if p == nil {
		return x.req.body.done()
	}
	if good && !p.sent.Load() {
		wait := time.NewTimer(4 * patience)
		select {
		case <-p.done:
		case <-wait.C:
		}
		wait.Stop()
	}
	select {
	case <-p.done:
	default:
		_ = x.c.setDeadline(time.Unix(1, 0)) // wakes a pump that reads,
		_ = p.u.conn.Close()                 // and one that writes
		<-p.done
		_ = x.c.setDeadline(time.Time{})
	}
	x.c.idleSince = time.Time{}
	return p.sent.Load()
}
