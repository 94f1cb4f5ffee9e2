package gate

import (
	"errors"
	"syscall"
	"unsafe"
)

// These calls are made without a word to Go's scheduler, as they never wait: the
// descriptors are non-blocking. With it, one in eight of the gate's cycles went
// into handing processors over to others and back (measured at 64 connections).

// errAgain says that a descriptor has, or takes, nothing now.
var errAgain = errors.New("not now")

// rawRead reads what a socket has.
func rawRead(fd uintptr, p []byte) (int, error) {
	return raw(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
}

// rawWrite writes what a socket takes.
func rawWrite(fd uintptr, p []byte) (int, error) {
	return raw(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
}

// rawSplice moves what one has and the other takes, at most limit bytes, between
// a socket and a pipe.
func rawSplice(from, to uintptr, limit int) (int, error) {
	const nonblock = 2 // SPLICE_F_NONBLOCK, splice(2)
	return raw(syscall.SYS_SPLICE, from, 0, to, 0, uintptr(limit), nonblock)
}

func raw(call, a, b, c, d, e, f uintptr) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall6(call, a, b, c, d, e, f)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EAGAIN:
			return 0, errAgain
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
