package gate

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"syscall"

	"syncd.io/syncd/internal/gate/rawcall"
)

// errSink marks an error of writing; any other is one of reading.
var errSink = errors.New("write")

// bulk is how many bytes at once make a stream of what passes: from then on they
// are spliced, which costs the processor less. Fewer are quicker copied.
const bulk = 16 << 10

// pump takes bytes from one connection to another. It waits for them with empty
// hands; io.Copy would hold a pipe, which is two more descriptors, for each
// direction of each connection, and splice small messages too.
type pump struct {
	from, to syscall.RawConn
	stock    *stock

	fill, empty, draw, pour func(fd uintptr) bool // bound once

	buf  *[bufferSize]byte
	pipe *pipe
	came int   // into the buffer
	left int   // of what came last, what has not gone yet
	n    int   // what the last call moved
	err  error // why it did not
}

// pumpAll pumps until src has ended.
func pumpAll(dst, src *net.TCPConn, s *stock) error {
	from, err := src.SyscallConn()
	if err != nil {
		return err
	}
	to, err := dst.SyscallConn()
	if err != nil {
		return fmt.Errorf("%w: %w", errSink, err)
	}
	p := &pump{from: from, to: to, stock: s}
	p.fill, p.empty, p.draw, p.pour = p.fillBuffer, p.emptyBuffer, p.fillPipe, p.emptyPipe
	defer p.release()
	return p.run()
}

func (p *pump) run() error {
	moved, err := p.move(p.fill, p.empty)
	for err == nil && moved > 0 {
		if moved < bulk {
			moved, err = p.move(p.fill, p.empty)
		} else {
			moved, err = p.move(p.draw, p.pour)
		}
	}
	return err
}

// move takes what there is, waiting for something, and passes all of it on. It
// returns 0 at the end.
func (p *pump) move(in, out func(fd uintptr) bool) (int, error) {
	if err := cmp.Or(p.from.Read(in), p.err); err != nil {
		return 0, err
	}
	moved := p.n
	for p.left = moved; p.left > 0; p.left -= p.n {
		if err := cmp.Or(p.to.Write(out), p.err); err != nil {
			return 0, fmt.Errorf("%w: %w", errSink, err)
		}
	}
	return moved, nil
}

// fillBuffer reads once. Here as below, false asks to be called again when the
// socket has something, or takes something.
func (p *pump) fillBuffer(fd uintptr) bool {
	if p.buf == nil {
		p.buf = p.stock.buffer()
	}
	p.n, p.err = rawcall.Read(fd, p.buf[:])
	p.came = p.n
	return p.ready()
}

// emptyBuffer writes once.
func (p *pump) emptyBuffer(fd uintptr) bool {
	p.n, p.err = rawcall.Write(fd, p.buf[p.came-p.left:p.came])
	return !errors.Is(p.err, rawcall.ErrAgain)
}

// fillPipe takes from the socket once. Where no pipe is to be had, as descriptors
// are short, the buffer must do.
func (p *pump) fillPipe(fd uintptr) bool {
	if p.pipe == nil {
		p.pipe = p.stock.pipe()
	}
	if p.pipe == nil {
		return p.fillBuffer(fd)
	}
	p.n, p.err = rawcall.Splice(fd, p.pipe.in, pipeSize)
	return p.ready()
}

// emptyPipe gives to the socket once.
func (p *pump) emptyPipe(fd uintptr) bool {
	if p.pipe == nil {
		return p.emptyBuffer(fd)
	}
	p.n, p.err = rawcall.Splice(p.pipe.out, fd, p.left)
	return !errors.Is(p.err, rawcall.ErrAgain)
}

// ready tells whether the socket had something; where not, hands are emptied.
func (p *pump) ready() bool {
	if errors.Is(p.err, rawcall.ErrAgain) {
		p.release()
		return false
	}
	return true
}

// release gives back what was lent. A pipe with bytes in it is of no use.
func (p *pump) release() {
	if p.buf != nil {
		p.stock.buffers.Put(p.buf)
		p.buf = nil
	}
	if p.pipe == nil {
		return
	}
	if p.left == 0 {
		p.stock.back(p.pipe)
	} else {
		p.pipe.close()
	}
	p.pipe = nil
}
