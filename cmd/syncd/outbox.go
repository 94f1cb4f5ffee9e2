package main

import (
	"context"
	"path/filepath"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// outboxFile is the outbox below the state directory.
const outboxFile = "notify.db"

// tell lets people be told of what is written to store from now on, Grafana and forges,
// until open is closed. It returns the store that the agent has to write to.
func (w wiring) tell(ctx context.Context, host config.Host, store record, open *closers) (record, error) {
	if w.teller == nil && w.marker == nil && w.feedback == nil {
		return store, nil
	}
	box, err := outbox.Open(filepath.Join(host.State, outboxFile))
	if err != nil {
		return nil, err
	}
	open.add(box.Close)
	if note := box.Recovered(); note != "" {
		w.log.Warn(note)
	}
	if err := w.marker.begin(ctx, box, store, open); err != nil {
		return nil, err
	}
	if store, err = w.teller.begin(ctx, box, store, open); err != nil {
		return nil, err
	}
	return w.feedback.begin(ctx, box, store, open)
}
