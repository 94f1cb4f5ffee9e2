package http1

import (
	"bytes"
	"net"
	"time"
)

// linger closes the sending side, and reads on for a moment: what is unread when
// a socket is closed makes the kernel reset it, and the client would lose the
// answer that it was just sent.
func (c *conn) linger() {
	if c.in.tcp == nil || c.in.tcp.CloseWrite() != nil {
		return
	}
	if c.setDeadline(time.Now().Add(time.Second)) != nil {
		return
	}
	for left := 256 << 10; left > 0; {
		c.in.drop()
		if c.in.fill() != nil {
			return
		}
		left -= len(c.in.buffered())
	}
}

// isPreface tells whether a head is the first half of HTTP/2's preface.
func isPreface(head []byte) bool { return bytes.Equal(head, []byte("PRI * HTTP/2.0\r\n\r\n")) }

// handOver gives the connection to whoever speaks HTTP/2.
func (c *conn) handOver() error {
	if err := c.setDeadline(time.Time{}); err != nil {
		_ = c.in.conn.Close() // so it is already, or broken
		return err
	}
	read := bytes.Clone(c.in.buffered())
	c.in.drop()
	return c.p.HTTP2(c.ctx, &replayed{Conn: c.in.conn, read: read})
}

// replayed is a connection of which something was read, which is read again.
type replayed struct {
	net.Conn
	read []byte
}

// Read returns what had been read before, and then the connection's own.
func (r *replayed) Read(p []byte) (int, error) {
	if len(r.read) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.read)
	r.read = r.read[n:]
	return n, nil
}

// NetConn returns the connection below, of which a part was read.
func (r *replayed) NetConn() net.Conn { return r.Conn }

// addressOf returns an address without its port.
func addressOf(a net.Addr) string {
	if a == nil {
		return "unknown"
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return "unknown"
	}
	return host
}
