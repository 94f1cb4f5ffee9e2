package http1

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"

	"syncd.io/syncd/internal/gate/rawcall"
)

// socket returns the raw connection below c, or nil where c is something else
// than a plain TCP connection: what wraps one may have bytes of its own.
func socket(c net.Conn) syscall.RawConn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readSocket reads once without waiting; again says that there is nothing yet.
func readSocket(fd uintptr, p []byte) (n int, again bool, err error) {
	n, err = rawcall.Read(fd, p)
	if errors.Is(err, rawcall.ErrAgain) {
		return 0, true, nil
	}
	return n, false, err
}

// writeSocket writes once without waiting, as much as the kernel takes.
func writeSocket(fd uintptr, p []byte) (int, error) {
	n, err := rawcall.Write(fd, p)
	if errors.Is(err, rawcall.ErrAgain) {
		return 0, nil
	}
	return n, err
}

// quiet tells whether an idle connection is open and nothing has come on it. It
// may take a byte: one that came unasked has made the connection useless.
func quiet(fd uintptr) bool {
	var b [1]byte
	_, again, err := readSocket(fd, b[:])
	return again && err == nil
}

// peerGone tells whether the other side has closed, even with bytes that it sent
// before still unread: the kernel knows (the first byte of TCP_INFO is the
// state), a read would not.
func peerGone(fd uintptr) bool {
	const established = 1
	v, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
	if err != nil {
		return true
	}
	var info [4]byte
	binary.NativeEndian.PutUint32(info[:], uint32(v))
	return info[0] != established
}
