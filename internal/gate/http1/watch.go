package http1

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// watch notices that a client has left while nothing is read from it. The kernel
// is asked whenever something happens on the socket; nothing is taken from it, so
// what the client sends ahead stays where it is. A client that closes its sending
// side counts as gone, as it does for nginx and net/http.
type watch struct {
	c    *conn
	done chan struct{}
	gone atomic.Bool
}

// startWatch begins to watch; gone is called, once, when the client has left.
func (c *conn) startWatch(gone func()) *watch {
	w := &watch{c: c, done: make(chan struct{})}
	if c.in.raw == nil || c.setDeadline(time.Time{}) != nil {
		close(w.done)
		return w
	}
	go w.run(gone)
	return w
}

func (w *watch) run(gone func()) {
	defer close(w.done)
	left := false
	err := w.c.in.raw.Read(func(fd uintptr) bool {
		left = peerGone(fd)
		return left
	})
	if err == nil && left {
		w.gone.Store(true)
		gone()
	}
}

// stop ends the watch and waits for that.
func (w *watch) stop() {
	select {
	case <-w.done:
	default:
		_ = w.c.setDeadline(time.Unix(1, 0)) // fails where the connection is closed, which ends it too
		<-w.done
	}
	w.c.idleSince = time.Time{}
}

func (x *exchange) startWatch() {
	if x.watch != nil {
		return
	}
	x.c.in.release()
	u := x.u
	x.watch = x.c.startWatch(func() { _ = u.conn.Close() }) // which wakes the exchange
}

func (x *exchange) stopWatch() {
	if x.watch == nil {
		return
	}
	x.watch.stop()
	if x.u != nil && x.watch.gone.Load() {
		x.u.spoiled = true
	}
	x.watch = nil
}

// waiter is the context of a Pick. It watches the client from when somebody
// asks for Done: a pick that does not wait costs nothing.
type waiter struct {
	context.Context
	mu    sync.Mutex
	c     *conn
	ended chan struct{}
	watch *watch
	over  bool
}

func (w *waiter) begin(c *conn) {
	w.Context, w.c = c.base, c
	w.over = false
}

// end tells whether the client has gone meanwhile, and whether the context was
// used at all.
func (w *waiter) end() (gone, used bool) {
	w.mu.Lock()
	w.over, w.c = true, nil
	watch := w.watch
	used = w.ended != nil
	w.mu.Unlock()
	if watch == nil {
		return false, used
	}
	watch.stop()
	return watch.gone.Load(), true
}

// Done is closed when the client has gone.
func (w *waiter) Done() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended == nil {
		ended := make(chan struct{})
		w.ended = ended
		if !w.over {
			w.watch = w.c.startWatch(func() { close(ended) })
		}
	}
	return w.ended
}

// Err is context.Canceled when the client has gone.
func (w *waiter) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watch != nil && w.watch.gone.Load() {
		return context.Canceled
	}
	return nil
}
