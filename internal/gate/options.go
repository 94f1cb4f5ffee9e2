package gate

import (
	"errors"
	"syscall"
)

// option is one of a socket's options.
type option struct{ level, name, value int }

// userTimeout is TCP_USER_TIMEOUT, tcp(7): for how many milliseconds what was
// sent, a SYN too, may stay without an answer; 0 leaves that to the system.
const userTimeout = 18

// keepAlive has the kernel find out that the other side of a silent connection is
// gone, in two and a half minutes.
func keepAlive() []option {
	return []option{
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
	}
}

// incoming prepares a socket that listens. Those that it accepts inherit what Go
// would set for each.
func incoming(_, _ string, c syscall.RawConn) error { return set(c, keepAlive()...) }

// outgoing prepares a socket that connects. Backends are on a network of the
// gate's: when it has left one, and still knows an address there, nothing may go
// by the default route, to whoever has that address in the world outside.
func outgoing(_, _ string, c syscall.RawConn) error {
	return set(c, append(keepAlive(), option{syscall.SOL_SOCKET, syscall.SO_DONTROUTE, 1},
		option{syscall.IPPROTO_TCP, userTimeout, int(dialLimit.Milliseconds())})...)
}

// connected ends the limit that was for connecting.
func connected(c syscall.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return set(raw, option{syscall.IPPROTO_TCP, userTimeout, 0})
}

func set(c syscall.RawConn, options ...option) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		for _, o := range options {
			failed = errors.Join(failed, syscall.SetsockoptInt(int(fd), o.level, o.name, o.value))
		}
	})
	return errors.Join(err, failed)
}
