package main

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/outbox"
)

// outboxFile is the outbox below the state directory.
const outboxFile = "notify.db"

// What is in trouble is tried again after a second, and then more and more rarely.
const (
	firstRetelling = time.Second
	lastRetelling  = time.Minute
)

// tell lets people be told of what is written to store from now on, Grafana and forges,
// until open is closed. It returns the store that the agent has to write to. Neither
// trouble with the outbox nor much that is on record is in the way of the agent.
func (w wiring) tell(ctx context.Context, host config.Host, store record, open *closers) record {
	if w.teller == nil && w.marker == nil && w.feedback == nil {
		return store
	}
	start := w.teller.start(store)
	running, end := context.WithCancel(context.WithoutCancel(ctx)) // the last pass is told of, too
	var hands sync.WaitGroup
	hands.Go(func() { w.keepTelling(running, host, store, start) })
	open.add(func() error { end(); hands.Wait(); w.teller.follow(nil); w.feedback.follow(nil); return nil })
	return w.feedback.noting(w.teller.noting(store))
}

// keepTelling opens the outbox, as soon as it can be, and tells by way of it until ctx
// ends.
func (w wiring) keepTelling(ctx context.Context, host config.Host, store record, start *notify.Start) {
	w.again(ctx, func() error {
		box, err := outbox.Open(filepath.Join(host.State, outboxFile))
		if err != nil {
			return err
		}
		if note := box.Recovered(); note != "" {
			w.log.Warn(note)
		}
		w.telling(ctx, box, store, start)
		return box.Close()
	})
}

// telling lets each tell by way of box until ctx ends, as soon as that one can. Who has
// begun goes on, whatever is in the way of the others: start is how the record was before
// anybody told of it.
func (w wiring) telling(ctx context.Context, box *outbox.Box, store record, start *notify.Start) {
	heart := w.vitals.beats()
	var hands sync.WaitGroup
	for _, begin := range []func(open *closers) error{
		func(open *closers) error { return w.teller.begin(ctx, box, store, start, heart, open) },
		func(open *closers) error { return w.marker.begin(ctx, box, store, heart, open) },
		func(open *closers) error { return w.feedback.begin(ctx, box, store, heart, open) },
	} {
		hands.Go(func() {
			w.again(ctx, func() error {
				var open closers
				if err := begin(&open); err != nil {
					return err
				}
				<-ctx.Done()
				return open.close()
			})
		})
	}
	hands.Wait()
}

// again does something until it succeeds, or ctx ends.
func (w wiring) again(ctx context.Context, do func() error) {
	for pause := firstRetelling; ctx.Err() == nil; pause = min(2*pause, lastRetelling) {
		err := do()
		if err == nil {
			return
		}
		w.log.Warn("somebody cannot be told what happens; it is tried again", "error", err, "hint", fault.Advice(err))
		_ = nap.For(ctx, pause) // the loop sees the end
	}
}
