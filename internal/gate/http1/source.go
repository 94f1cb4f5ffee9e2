package http1

import (
	"cmp"
	"errors"
	"io"
	"net"
	"syscall"
)

var errFull = errors.New("the buffer is full")

// source is the reading side of a connection. Its buffer is lent only while
// there is something in it: ten thousand idle connections have none.
type source struct {
	conn  net.Conn
	raw   syscall.RawConn // nil: conn is no plain TCP connection
	tcp   *net.TCPConn    // nil likewise
	boxes *boxes
	try   func(fd uintptr) bool // s.readOnce, made once

	box  *[]byte
	r, w int    // what is buffered is (*box)[r:w]
	into []byte // where fillInto reads to

	n   int   // of the last read
	err error // of the last read

	push   func(fd uintptr) bool // s.writeOnce, made once
	unsent []byte
	failed error // of the last write
}

func (s *source) init(conn net.Conn, b *boxes) {
	s.conn, s.boxes, s.raw = conn, b, socket(conn)
	s.tcp, _ = conn.(*net.TCPConn)
	s.try, s.push = s.readOnce, s.writeOnce
}

// buffered returns what was read and not yet discarded; it is valid until the
// next fill.
func (s *source) buffered() []byte {
	if s.box == nil {
		return nil
	}
	return (*s.box)[s.r:s.w]
}

func (s *source) discard(n int) { s.r += n }

// fill waits for something to read and appends it to what is buffered. It
// returns io.EOF at the end, errFull when there is no room.
func (s *source) fill() error {
	if err := s.makeRoom(); err != nil {
		return err
	}
	if s.raw == nil {
		return s.fillPlain()
	}
	if err := s.raw.Read(s.try); err != nil {
		return err
	}
	return s.taken()
}

// taken accounts for what readOnce has read.
func (s *source) taken() error {
	if s.err != nil {
		return s.err
	}
	if s.n == 0 {
		return io.EOF
	}
	s.w += s.n
	return nil
}

func (s *source) makeRoom() error {
	switch {
	case s.box == nil:
	case s.r == s.w:
		s.r, s.w = 0, 0
	case s.w < len(*s.box):
	case s.r == 0:
		return errFull
	default:
		s.w = copy(*s.box, (*s.box)[s.r:s.w])
		s.r = 0
	}
	return nil
}

// fillInto waits for something to read, with nothing buffered, and reads it into
// p.
func (s *source) fillInto(p []byte) (int, error) {
	if s.raw == nil {
		return s.conn.Read(p)
	}
	s.into = p
	err := s.raw.Read(s.try)
	s.into = nil
	switch {
	case err != nil:
		return 0, err
	case s.err == nil && s.n == 0:
		return 0, io.EOF
	}
	return s.n, s.err
}

func (s *source) readOnce(fd uintptr) bool {
	if s.into != nil {
		n, again, err := readSocket(fd, s.into)
		s.n, s.err = n, err
		return !again
	}
	if s.box == nil {
		s.box = s.boxes.take(smallBox)
		s.r, s.w = 0, 0
	}
	n, again, err := readSocket(fd, (*s.box)[s.w:])
	if again {
		s.release()
		return false
	}
	s.n, s.err = n, err
	return true
}

func (s *source) fillPlain() error {
	if s.box == nil {
		s.box = s.boxes.take(smallBox)
		s.r, s.w = 0, 0
	}
	n, err := s.conn.Read((*s.box)[s.w:])
	s.w += n
	if n > 0 {
		return nil
	}
	return err
}

// write writes all of p. Whoever reads from s is not disturbed.
func (s *source) write(p []byte) error {
	if s.raw == nil {
		_, err := s.conn.Write(p)
		return err
	}
	s.unsent, s.failed = p, nil
	err := s.raw.Write(s.push)
	s.unsent = nil
	return cmp.Or(err, s.failed)
}

// writeOnce is called whenever the socket may take more, first at once; false
// lets it wait for that.
func (s *source) writeOnce(fd uintptr) bool {
	for len(s.unsent) > 0 && s.failed == nil {
		n, err := writeSocket(fd, s.unsent)
		if n == 0 && err == nil {
			return false
		}
		s.unsent, s.failed = s.unsent[n:], err
	}
	return true
}

// release gives an empty buffer back.
func (s *source) release() {
	if s.box != nil && s.r == s.w {
		s.boxes.put(s.box)
		s.box, s.r, s.w = nil, 0, 0
	}
}

// grow makes the buffer larger, up to limit bytes; errFull says that it is.
func (s *source) grow(limit int) error {
	size := min(max(2*len(*s.box), largeBox), limit)
	if size <= len(*s.box) {
		return errFull
	}
	b := s.boxes.take(size)
	s.w = copy(*b, s.buffered())
	s.boxes.put(s.box)
	s.box, s.r = b, 0
	return nil
}

// widen takes a large buffer where the small one was filled in one read.
func (s *source) widen() {
	if s.box != nil && s.w == len(*s.box) && s.w < largeBox {
		_ = s.grow(largeBox) // full already is fine
	}
}

// drop gives the buffer back with whatever is in it.
func (s *source) drop() {
	s.r = s.w
	s.release()
}

// isGone tells whether the other side has closed.
func (s *source) isGone() bool {
	gone := true
	err := s.raw.Control(func(fd uintptr) { gone = peerGone(fd) })
	return err != nil || gone
}
