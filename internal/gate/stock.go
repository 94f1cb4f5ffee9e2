package gate

import (
	"errors"
	"sync"
	"syscall"
)

const (
	bufferSize = 32 << 10
	// pipeSize is what a pipe is asked to hold; the kernel may grant less.
	pipeSize = 256 << 10
	// keptPipes is how many unused pipes wait for their next use.
	keptPipes = 32
)

// stock lends what a pump needs while bytes pass through it, and only then: an
// idle connection has neither buffer nor pipe.
type stock struct {
	buffers sync.Pool
	pipes   chan *pipe
}

// pipe is where the kernel keeps bytes between two sockets.
type pipe struct{ out, in uintptr }

func newStock() *stock {
	return &stock{
		buffers: sync.Pool{New: func() any { return new([bufferSize]byte) }},
		pipes:   make(chan *pipe, keptPipes),
	}
}

// buffer lends a buffer.
func (s *stock) buffer() *[bufferSize]byte { return s.buffers.Get().(*[bufferSize]byte) }

// pipe lends an empty pipe, or nil where the system has none to give.
func (s *stock) pipe() *pipe {
	select {
	case p := <-s.pipes:
		return p
	default:
		return newPipe()
	}
}

func newPipe() *pipe {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil
	}
	const setPipeSize = 1031 // F_SETPIPE_SZ, fcntl(2); without it more calls do the same work
	_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fds[0]), setPipeSize, pipeSize)
	return &pipe{out: uintptr(fds[0]), in: uintptr(fds[1])}
}

// back takes an empty pipe back.
func (s *stock) back(p *pipe) {
	select {
	case s.pipes <- p:
	default:
		p.close()
	}
}

func (p *pipe) close() {
	_ = errors.Join(syscall.Close(int(p.out)), syscall.Close(int(p.in)))
}

// close closes the pipes that nobody uses. It is called when nobody will.
func (s *stock) close() {
	for {
		select {
		case p := <-s.pipes:
			p.close()
		default:
			return
		}
	}
}
