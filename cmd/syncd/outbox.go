package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/outbox"
)

// outboxFile is the outbox below the state directory.
const outboxFile = "notify.db"

// An outbox that is in trouble is tried again after a second, and then more and more
// rarely.
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

// keepTelling tells until ctx ends, as soon as the outbox lets it.
func (w wiring) keepTelling(ctx context.Context, host config.Host, store record, start *notify.Start) {
	for pause := firstRetelling; ctx.Err() == nil; pause = min(2*pause, lastRetelling) {
		err := w.telling(ctx, host, store, start)
		if err == nil {
			continue
		}
		w.log.Warn("nobody can be told what happens; it is tried again", "error", err, "hint", fault.Advice(err))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// telling opens the outbox, and tells by way of it until ctx ends.
func (w wiring) telling(ctx context.Context, host config.Host, store record, start *notify.Start) error {
	box, err := outbox.Open(filepath.Join(host.State, outboxFile))
	if err != nil {
		return err
	}
	open := closers{box.Close}
	if note := box.Recovered(); note != "" {
		w.log.Warn(note)
	}
	heart := w.vitals.beats()
	err = errors.Join(w.teller.begin(ctx, box, store, start, heart, &open), w.marker.begin(ctx, box, store, heart, &open), w.feedback.begin(ctx, box, store, heart, &open))
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, open.close())
}
