package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"

	"syncd.io/syncd/internal/annotate"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
)

// marker marks deploys in Grafana, while there is an agent that books them. One of
// nobody (nil) marks none.
type marker struct {
	annotate.Options
	desk desk[*annotate.Annotator]
}

// markerOf is the marker of an agent; nil where the settings name no Grafana, and for
// who keeps no record. Errors: a URL that is none.
func markerOf(host config.Host, readOnly bool, log *slog.Logger) (*marker, error) {
	conf := host.Annotations
	if conf.URL == "" || readOnly {
		return nil, nil
	}
	if err := annotate.Check(conf.URL, "", ""); err != nil { // a token may come
		return nil, err
	}
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("find this machine's name: %w", err)
	}
	return &marker{Options: annotate.Options{
		URL: conf.URL, TokenFile: conf.TokenFile, TokenEnv: conf.TokenEnv, Host: cmp.Or(host.Host.Name, name), Log: log,
	}}, nil
}

// begin marks what is written to store from now on, until open is closed.
func (m *marker) begin(ctx context.Context, box *outbox.Box, store record, heart *pulse.Heart, open *closers) error {
	if m == nil {
		return nil
	}
	opts := m.Options
	opts.Box, opts.Journal, opts.Heart = box, deeds{store}, heart
	a, err := annotate.New(opts)
	if err != nil {
		return err
	}
	m.desk.take(ctx, a, open)
	return nil
}

// hearing lets the record be read on after passes that may have written to it.
func (m *marker) hearing(hear func(reconcile.Event)) func(reconcile.Event) {
	if m == nil {
		return hear
	}
	return func(e reconcile.Event) {
		hear(e)
		if e.Result != nil && e.Result.Outcome != reconcile.Unchanged {
			m.desk.wake()
		}
	}
}

// Queues implements metrics.Queues.
func (m *marker) Queues() []metrics.Queue {
	a, ok := m.desk.taken()
	if !ok {
		return nil
	}
	q := metrics.Queue{Channel: "annotations"}
	q.Waiting, q.Oldest, q.Ended = a.Queue()
	return []metrics.Queue{q}
}

// deeds is a record as facts of an annotator.
type deeds struct{ from reconcile.Chronicle }

// Since implements annotate.Journal.
func (d deeds) Since(id uint64, limit int) ([]annotate.Fact, error) {
	entries, err := d.from.Since(id, limit)
	facts := make([]annotate.Fact, 0, len(entries))
	for _, e := range entries {
		facts = append(facts, annotate.Fact{
			ID: e.ID, App: e.App, At: e.At, Took: e.Duration.D(), Kind: e.Kind, Outcome: e.Outcome, Who: e.Who,
			Commit: e.Revision.Commit, Author: e.Revision.Author, Subject: e.Revision.Subject, Reason: e.Reason, Changed: len(e.Steps) > 0,
		})
	}
	return facts, err
}
