package main

import (
	"context"
	"sync"
)

// worker tells somebody of what is on record: it reads on when it is woken.
type worker interface {
	comparable
	Run(ctx context.Context)
	Wake()
}

// desk is where a worker sits, who comes and goes with the outbox.
type desk[W worker] struct {
	mu  sync.Mutex // guards what follows
	now W
}

// take lets w work until open is closed: longer than ctx, for the last pass is told of,
// too.
func (d *desk[W]) take(ctx context.Context, w W, open *closers) {
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	var hands sync.WaitGroup
	hands.Go(func() { w.Run(running) })
	open.add(func() error {
		var nobody W
		d.sit(nobody)
		end()
		hands.Wait()
		return nil
	})
	d.sit(w)
}

func (d *desk[W]) sit(w W) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = w
}

// taken returns who works now; false where nobody does.
func (d *desk[W]) taken() (W, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var nobody W
	return d.now, d.now != nobody
}

// wake has who works now, if anybody does, read on.
func (d *desk[W]) wake() {
	if w, ok := d.taken(); ok {
		w.Wake()
	}
}
