package http1

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// errGone says that the client has left, or that nothing can be written to it.
var errGone = errors.New("the client is gone")

// conn is a client's connection.
type conn struct {
	p    *Proxy
	ctx  context.Context
	base context.Context // ctx's values, without its end
	in   source
	from string // the client's address

	idleSince time.Time // the idle deadline that is set counts from here; zero: none is
	served    bool      // a request has been read
	posted    bool      // and it was a POST

	mu      sync.Mutex
	resting bool // it waits between two requests
	ending  bool // ctx has ended
}

func newConn(ctx context.Context, p *Proxy, client net.Conn) *conn {
	c := &conn{p: p, ctx: ctx, base: context.WithoutCancel(ctx)}
	c.from = addressOf(client.RemoteAddr())
	c.in.init(client, &p.boxes)
	return c
}

// serve reads requests one after the other: what a client sends ahead waits in
// its buffer.
func (c *conn) serve() error {
	stop := context.AfterFunc(c.ctx, c.end)
	defer stop()
	defer c.in.drop()
	handed := false
	defer func() {
		if !handed {
			_ = c.in.conn.Close() // it is over, whatever that says
		}
	}()
	for {
		n, err := c.readHead()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return c.turnAway(err)
		}
		if !c.served && c.p.HTTP2 != nil && isPreface(c.in.buffered()[:n]) {
			handed = true
			return c.handOver()
		}
		c.served = true
		if keep, err := c.exchange(n); !keep || err != nil {
			return err
		}
	}
}

// exchange answers the request whose head is the first n bytes.
func (c *conn) exchange(n int) (keep bool, err error) {
	x, ok := c.p.spare.Get().(*exchange)
	if !ok {
		x = &exchange{own: make([]byte, 0, smallOut)}
	}
	defer x.settle()
	x.begin(c)
	return x.run(n)
}

// readHead returns the length of the next request's head, which is then
// buffered. io.EOF: the connection ended between two requests.
func (c *conn) readHead() (int, error) {
	limit := c.p.headerLimit()
	timed := false
	for {
		b := c.skipEmptyLine()
		if n := headEnd(b, false); n > 3 {
			if n > limit {
				return 0, tooLarge()
			}
			return n, nil
		}
		if len(b) >= limit {
			return 0, tooLarge()
		}
		if bareLF(b) {
			return 0, refuse(400, "a line of the head does not end in CRLF")
		}
		var err error
		if len(b) == 0 {
			err = c.rest()
		} else {
			err = c.readMore(&timed)
		}
		if err != nil {
			return 0, err
		}
	}
}

func tooLarge() *refusal { return refuse(431, "the request's head is too large") }

// skipEmptyLine drops one CRLF before a request, which some old clients send after
// a POST (RFC 9112, section 2.2); net/http bears it there, too.
func (c *conn) skipEmptyLine() []byte {
	if b := c.in.buffered(); len(b) >= 2 && b[0] == '\r' && b[1] == '\n' && c.posted {
		c.posted = false
		c.in.discard(2)
	}
	return c.in.buffered()
}

// bareLF looks for a line that nothing that follows can make valid.
func bareLF(b []byte) bool {
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return false
		}
		if i == 0 || b[at+i-1] != '\r' {
			return true
		}
		at += i + 1
	}
}

// turnAway answers what is no request, and tells why the connection ends.
func (c *conn) turnAway(err error) error {
	var bad *refusal
	if !errors.As(err, &bad) {
		return err
	}
	if _, werr := c.in.conn.Write(bad.write(nil, false, false)); werr == nil {
		c.linger()
	}
	return bad
}
