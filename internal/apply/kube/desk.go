package kube

import (
	"context"
	"sync"
	"time"
)

// The desk's bounds: how many events are written at once, how many wait, how long
// one may take that nobody waits for, how long it gives way to what is busy, and how
// often it looks meanwhile.
const (
	deskSeats = 2
	deskQueue = 4096
	deskLimit = 5 * time.Second
	deskYield = 2 * time.Second
	deskLook  = 250 * time.Millisecond
)

// letter is one event to be written.
type letter func(ctx context.Context) error

// desk is where events are written. A few are written while their pass waits, so that
// it tells where that fails. Where many come at once, or others are busy, as when a
// hundred apps are deployed, they queue, and the passes go on: the API server has their
// objects to store first.
type desk struct {
	life context.Context //nolint:containedctx // of those that nobody waits for: the engine's
	// busy tells whether there is other work to give way to.
	busy func() bool

	mu      sync.Mutex // guards what follows
	taken   int        // seats
	waiting []letter
	// lost hears why one could not be written that nobody waited for.
	lost func(error)
	// late are those who write what waits.
	late sync.WaitGroup
	// watched are closed when nobody has a seat any more.
	watched []chan struct{}
	// hurried is closed when nothing is given way to any more.
	hurried chan struct{}
	hurry   sync.Once
}

// newDesk returns one that writes late events until life ends.
func newDesk(life context.Context, busy func() bool, lost func(error)) *desk {
	return &desk{life: life, busy: busy, lost: lost, hurried: make(chan struct{})}
}

// take has an event written, now or soon. The error is why it could not be, where it
// was tried at once.
func (d *desk) take(ctx context.Context, l letter) error {
	if !d.enter(l) {
		return nil
	}
	defer d.leave()
	return l(ctx)
}

// enter takes a seat, or lets the event wait where there is none or others are busy.
func (d *desk) enter(l letter) (now bool) {
	busy := d.busy()
	d.mu.Lock()
	defer d.mu.Unlock()
	free := d.taken < deskSeats
	if free && !busy || len(d.waiting) >= deskQueue {
		d.taken++
		return true
	}
	d.waiting = append(d.waiting, l)
	if free {
		d.taken++
		d.late.Go(d.writeOn)
	}
	return false
}

// leave gives the seat to what waits; back where nothing does.
func (d *desk) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 || d.life.Err() != nil {
		d.give()
		return
	}
	d.late.Go(d.writeOn)
}

// writeOn writes what waits, until nothing does.
func (d *desk) writeOn() {
	for l := d.next(); l != nil; l = d.next() {
		d.giveWay()
		ctx, cancel := context.WithTimeout(d.life, deskLimit)
		if err := l(ctx); err != nil && d.life.Err() == nil {
			d.lost(err)
		}
		cancel()
	}
}

// giveWay waits a while for as long as others are busy.
func (d *desk) giveWay() {
	again := time.NewTicker(deskLook)
	defer again.Stop()
	for left := deskYield; left > 0 && d.busy(); left -= deskLook {
		select {
		case <-again.C:
		case <-d.hurried:
			return
		case <-d.life.Done():
			return
		}
	}
}

// next is what has waited longest; nil gives the seat back.
func (d *desk) next() letter {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting) == 0 || d.life.Err() != nil {
		d.waiting = nil
		d.give()
		return nil
	}
	l := d.waiting[0]
	d.waiting = d.waiting[1:]
	return l
}

// clear waits, for a while, until all is written, which gives way to nothing any more.
func (d *desk) clear() {
	d.hurry.Do(func() { close(d.hurried) })
	limit := time.NewTimer(deskLimit)
	defer limit.Stop()
	select {
	case <-d.free():
	case <-limit.C:
	}
}

// free is closed when nobody has a seat.
func (d *desk) free() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(chan struct{})
	if d.taken == 0 {
		close(out)
	} else {
		d.watched = append(d.watched, out)
	}
	return out
}

// give gives a seat back. The caller holds the lock.
func (d *desk) give() {
	if d.taken--; d.taken > 0 {
		return
	}
	for _, out := range d.watched {
		close(out)
	}
	d.watched = nil
}
