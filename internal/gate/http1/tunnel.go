package http1

import (
	"errors"
	"io"
	"net"
	"time"
)

// tail is how long a client may go on sending after the backend has ended its
// side of an upgraded connection.
const tail = 30 * time.Second

// changeProtocols turns both connections into a tunnel, after 101.
func (x *exchange) changeProtocols(n int) error {
	if x.req.protocols == nil || x.req.body.kind != bodiless || x.res.protocols == nil {
		return refuse(502, "the backend changes protocols unasked")
	}
	x.out = append(x.res.write(x.out[:0], 1, false), "\r\n"...)
	x.stopWatch()
	x.begun, x.req.close = true, true
	if err := x.write(x.out, x.u.buffered()[n:]); err != nil {
		return err
	}
	x.u.drop()
	if err := errors.Join(x.u.waitForever(), x.c.setDeadline(time.Time{})); err != nil {
		return errGone
	}
	x.tunnel()
	x.hangUp()
	return nil
}

// tunnel carries bytes both ways until both sides have ended, each by itself:
// what one side closes for writing, the other reads to its end.
func (x *exchange) tunnel() {
	up := make(chan struct{})
	u, in := x.u, &x.c.in
	go func() {
		defer close(up)
		if pass(u.conn, in) != nil {
			_ = u.conn.Close()
		}
	}()
	if pass(in.conn, &u.source) != nil {
		_ = u.conn.Close()
		_ = in.conn.Close()
	} else {
		_ = in.conn.SetReadDeadline(time.Now().Add(tail))
	}
	<-up
}

// pass carries bytes until src ends, and then closes dst for writing.
func pass(dst net.Conn, src *source) error {
	for {
		if b := src.buffered(); len(b) > 0 {
			if _, err := dst.Write(b); err != nil {
				return err
			}
			if err := src.passMore(dst); err != nil {
				return err
			}
		}
		src.drop()
		err := src.fill()
		if errors.Is(err, io.EOF) {
			return closeWrite(dst)
		}
		if err != nil {
			return err
		}
	}
}

// passMore lets the kernel move a piece of what follows, where the buffer was
// filled: there is much. Where there is little, a buffer that is lent for a
// moment costs less than the pipes.
func (s *source) passMore(dst net.Conn) error {
	to, ok := dst.(*net.TCPConn)
	if !ok || s.tcp == nil || s.w < len(*s.box) {
		return nil
	}
	s.drop()
	_, err := to.ReadFrom(&io.LimitedReader{R: s.tcp, N: 1 << 20})
	return err
}

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
