package gate

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"syscall"
	"time"
)

// shut lets no new handshake begin at a listener and ends its Accept. Closing it
// at once would reset who is in the kernel's queue, and a queue that still grows
// cannot be emptied.
func (o *opening) shut() error {
	raw, err := o.listener.SyscallConn()
	if err != nil {
		return err
	}
	err = raw.Control(func(fd uintptr) { deafen(int(fd)) })
	if err := errors.Join(err, o.listener.SetDeadline(time.Unix(1, 0))); err != nil {
		return fmt.Errorf("shut the gate's port: %w", err)
	}
	return nil
}

// deafen binds a listener to an interface that there is none of: the kernel
// refuses who knocks from then on, and keeps who is in its queue. Without
// capabilities Linux allows it from 5.7 on. Before that, whoever comes between
// the last look into the queue and the closing, microseconds later, is reset.
func deafen(listener int) {
	const bindToIfIndex = 62 // SO_BINDTOIFINDEX, socket(7)
	_ = syscall.SetsockoptInt(listener, syscall.SOL_SOCKET, bindToIfIndex, math.MaxInt32)
}

// queued takes the connections that the kernel has already accepted for the
// listener, without waiting for more.
func (o *opening) queued() ([]*net.TCPConn, error) {
	raw, err := o.listener.SyscallConn()
	if err != nil {
		return nil, err
	}
	var found []*net.TCPConn
	var failed error
	err = raw.Control(func(fd uintptr) {
		for {
			var conn *net.TCPConn
			if conn, failed = take(int(fd)); conn == nil {
				return
			}
			found = append(found, conn)
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return found, fmt.Errorf("empty the queue of the gate's port: %w", err)
	}
	return found, nil
}

// take returns the next connection of a listener's queue, nil at its end.
func take(listener int) (*net.TCPConn, error) {
	for {
		fd, _, err := syscall.Accept4(listener, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		switch {
		case err == nil:
			return adopt(fd)
		case errors.Is(err, syscall.EAGAIN):
			return nil, nil
		case !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.ECONNABORTED):
			return nil, os.NewSyscallError("accept4", err)
		}
	}
}

// adopt makes a connection of a descriptor.
func adopt(fd int) (*net.TCPConn, error) {
	f := os.NewFile(uintptr(fd), "client")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no TCP connection", conn), conn.Close())
	}
	return tcp, nil
}
