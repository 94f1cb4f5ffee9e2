package http1

import (
	"slices"
	"time"
)

func (b *backend) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// tend is the keeper: it closes what has been idle for too long, what is idle
// when the backend leaves, and everything at the end of the drain or of done.
func (b *backend) tend(done <-chan struct{}) {
	sweep := time.NewTimer(sweepEach)
	defer sweep.Stop()
	leaving := b.leaving
	for {
		select {
		case <-leaving:
			leaving = nil
			b.leave()
		case <-b.drained:
			b.leave()
			b.cutAll()
			return
		case <-done:
			b.leave()
			b.cutAll()
			return
		case <-sweep.C:
			if b.sweep(time.Now()) {
				sweep.Reset(sweepEach)
			}
		case <-b.wake:
			sweep.Reset(sweepEach)
		}
		if b.rest() {
			return
		}
	}
}

// rest tells whether the keeper has nothing more to do. A lease that was taken
// before the backend left may still dial: that starts the next one.
func (b *backend) rest() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = !b.left || len(b.live) > 0
	return !b.kept
}

// leave closes what is idle, now and from now on.
func (b *backend) leave() {
	b.mu.Lock()
	b.left = true
	idle := b.idle
	b.idle = nil
	b.mu.Unlock()
	for _, u := range idle {
		b.close(u)
	}
}

// sweep closes what has been idle for too long, and tells whether anything is.
func (b *backend) sweep(now time.Time) bool {
	b.mu.Lock()
	old := 0
	for old < len(b.idle) && now.Sub(b.idle[old].since) > min(idleFor, b.idle[old].lasts) {
		old++
	}
	gone := slices.Clone(b.idle[:old])
	b.idle = slices.Delete(b.idle, 0, old)
	b.armed = len(b.idle) > 0
	more := b.armed
	b.mu.Unlock()
	for _, u := range gone {
		b.close(u)
	}
	return more
}

// cutAll ends what is in flight. The mark is set before anything that wakes the
// exchange, which then knows why.
func (b *backend) cutAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = false
	for u := range b.live {
		u.cut.Store(true)
		if u.client != nil {
			_ = u.client.SetDeadline(time.Unix(1, 0)) // it may be closed already
		}
		_ = u.conn.Close()
	}
}
