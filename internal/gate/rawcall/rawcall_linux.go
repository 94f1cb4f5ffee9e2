// Package rawcall reads from and writes to sockets without a word to Go's
// scheduler, as these calls never wait: the descriptors have to be non-blocking.
//
// A word costs more than many a call. At 64 busy connections one in eight of the
// gate's cycles went into handing processors over to others and back; with one
// request at a time, where each call woke the thread that looks for calls which
// take long, one in four.
package rawcall

import (
	"errors"
	"syscall"
	"unsafe"
)

// ErrAgain says that a descriptor has, or takes, nothing now.
var ErrAgain = errors.New("not now")

// Read reads what a socket has.
func Read(fd uintptr, p []byte) (int, error) {
	return raw(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
}

// Write writes what a socket takes.
func Write(fd uintptr, p []byte) (int, error) {
	return raw(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
}

// Splice moves what one has and the other takes, at most limit bytes, between
// a socket and a pipe.
func Splice(from, to uintptr, limit int) (int, error) {
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
			return 0, ErrAgain
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
