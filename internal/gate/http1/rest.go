package http1

import (
	"errors"
	"io"
	"os"
	"time"
)

// rest waits for the first byte of a request.
func (c *conn) rest() error {
	var err error
	c.mu.Lock()
	c.resting = !c.ending
	if c.resting { // from now on, end moves the deadline that is set here
		err = c.keepIdleDeadline()
	}
	wait := c.resting && err == nil
	c.mu.Unlock()
	if wait {
		err = c.in.fill()
	}
	c.mu.Lock()
	c.resting = false
	c.mu.Unlock()
	switch {
	case err == nil && len(c.in.buffered()) > 0:
		return nil
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded):
		return c.lastWord()
	}
	return io.EOF // also a reset: nothing was lost with it
}

// lastWord serves a request that has come just when the connection was to be
// closed.
func (c *conn) lastWord() error {
	if err := c.setDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		return io.EOF
	}
	if err := c.in.fill(); err != nil {
		return io.EOF
	}
	return nil
}

// readMore waits for more of a head that has begun, within its deadline.
func (c *conn) readMore(timed *bool) error {
	if !*timed {
		*timed = true
		if err := c.setDeadline(time.Now().Add(c.p.headerTimeout())); err != nil {
			return err
		}
	}
	err := c.in.fill()
	if errors.Is(err, errFull) {
		if err = c.in.grow(c.p.headerLimit()); errors.Is(err, errFull) {
			return tooLarge()
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuse(408, "the request's head took too long")
	case errors.Is(err, io.EOF):
		return errGone
	}
	return err
}

// keepIdleDeadline moves the deadline only when it has got old: setting it for
// every request would cost more than its exactness is worth.
func (c *conn) keepIdleDeadline() error {
	limit := c.p.idleTimeout()
	now := time.Now()
	if !c.idleSince.IsZero() && now.Sub(c.idleSince) < min(time.Second, limit/8) {
		return nil
	}
	if err := c.in.conn.SetReadDeadline(now.Add(limit)); err != nil {
		return err
	}
	c.idleSince = now
	return nil
}

// setDeadline sets any other deadline for reading from the client; the zero time
// is none.
func (c *conn) setDeadline(t time.Time) error {
	c.idleSince = time.Time{}
	return c.in.conn.SetReadDeadline(t)
}

// end is called when ctx ends.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if c.resting {
		_ = c.in.conn.SetReadDeadline(time.Unix(1, 0)) // it may be closed already
	}
}

// isEnding tells whether the response in flight is the last one.
func (c *conn) isEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}
