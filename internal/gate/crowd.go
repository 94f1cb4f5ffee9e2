package gate

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// spare is how many descriptors are kept for everything but clients and backends.
const spare = 32

// crowd is all clients' connections that are open now.
type crowd struct {
	room  int           // how many may be open
	freed chan struct{} // tells that one has left

	mu    sync.Mutex
	conns map[*net.TCPConn]struct{}
	gone  sync.WaitGroup
}

// newCrowd returns a crowd that has room for as many clients as the process may
// have descriptors for, with one more each for the backend.
func newCrowd() *crowd {
	room := uint64(1 << 20)
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		room = min(room, (max(files.Cur, spare+2)-spare)/2)
	}
	return &crowd{room: int(room), freed: make(chan struct{}, 1), conns: map[*net.TCPConn]struct{}{}}
}

// awaitRoom waits until there is room for one more; false says that ctx has ended.
func (c *crowd) awaitRoom(ctx context.Context) bool {
	for ctx.Err() == nil {
		if c.hasRoom() {
			return true
		}
		select {
		case <-c.freed:
		case <-ctx.Done():
		}
	}
	return false
}

func (c *crowd) hasRoom() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.conns) < c.room
}

// enter has serve carry a connection, in a goroutine of its own, and closes it
// then.
func (c *crowd) enter(conn *net.TCPConn, serve func()) {
	c.mu.Lock()
	c.conns[conn] = struct{}{}
	c.mu.Unlock()
	c.gone.Go(func() {
		defer c.leave(conn)
		serve()
	})
}

func (c *crowd) leave(conn *net.TCPConn) {
	_ = conn.Close() // mostly it is closed already
	c.mu.Lock()
	delete(c.conns, conn)
	c.mu.Unlock()
	select {
	case c.freed <- struct{}{}:
	default: // it has been told
	}
}

// disperse resets all that are left.
func (c *crowd) disperse() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		reset(conn)
	}
}

// dispersed is closed when nobody is left. Nobody may enter any more.
func (c *crowd) dispersed() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.gone.Wait()
	}()
	return done
}
