package http1

import "time"

// gather takes what is there of the request's body, and waits a moment for the
// rest where that is little: most bodies then go to the backend in one piece with
// their head, and need nobody beside the exchange. What is still missing after it
// is the pump's.
func (x *exchange) gather() error {
	body, in := &x.req.body, &x.c.in
	if body.kind == counted {
		x.room(body.left)
	}
	for !body.done() {
		emit, used, bad := body.take(in.buffered())
		if bad != nil {
			return bad
		}
		if used == 0 {
			break
		}
		x.out = append(x.out, emit...)
		in.discard(used)
	}
	if body.kind == counted && body.left > 0 && x.fits(body.left) && !x.req.expects {
		return x.gatherRest()
	}
	return nil
}

// gatherRest reads a small body to its end, unless that takes long.
func (x *exchange) gatherRest() error {
	body, in := &x.req.body, &x.c.in
	in.release()
	_ = x.c.setDeadline(time.Now().Add(patience)) // on a closed connection the read fails
	for body.left > 0 {
		at := len(x.out)
		n, err := in.fillInto(x.out[at : at+int(body.left)])
		x.out = x.out[:at+n]
		body.left -= int64(n)
		if err != nil && isTimeout(err) {
			return nil
		}
		if err != nil {
			return errGone
		}
	}
	return nil
}

// room makes room for n more bytes of output, if that is not too many.
func (x *exchange) room(n int64) {
	if x.fits(n) || n > largeBox-int64(len(x.out)) {
		return
	}
	size := smallBox
	if n > smallBox-int64(len(x.out)) {
		size = largeBox
	}
	x.box = x.c.p.boxes.take(size)
	x.out = append((*x.box)[:0], x.out...)
}

func (x *exchange) fits(n int64) bool { return n <= int64(cap(x.out)-len(x.out)) }
