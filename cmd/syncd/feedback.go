package main

import (
	"context"
	"log/slog"
	"sync"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/forge"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
)

// feedback lets forges be told how their commits fare, while there is an agent that
// knows. One of nobody (nil) tells none.
type feedback struct {
	host config.Host
	log  *slog.Logger
	desk desk[*forge.Reporter]

	mu    sync.Mutex // guards what follows
	agent *reconcile.Agent
}

// feedbackOf is the feedback of an agent; nil where the settings name no forge, and for
// who keeps no record. A token that is not there yet is warned of. Errors: Rejected for
// a repository that no forge is known to have.
func feedbackOf(host config.Host, readOnly bool, log *slog.Logger) (*feedback, error) {
	if len(host.Feedback) == 0 {
		return nil, nil
	}
	notes, err := forge.Check(host.Feedback, host.Repo.URL)
	if err := warned(log, "feedback", notes, err); err != nil {
		return nil, err
	}
	if readOnly {
		log.Warn("no forge is told anything: who never acts keeps no record", "setting", "feedback")
		return nil, nil
	}
	return &feedback{host: host, log: log}, nil
}

// noting returns the store that the agent has to write to: what is written to it is
// told at once.
func (f *feedback) noting(store record) record {
	if f == nil {
		return store
	}
	return noted{store, f.desk.wake}
}

// begin tells of what is written to store from now on, by way of box, until open is
// closed.
func (f *feedback) begin(ctx context.Context, box *outbox.Box, store record, heart *pulse.Heart, open *closers) error {
	if f == nil {
		return nil
	}
	r, err := forge.New(forge.Options{
		Feedback: f.host.Feedback, Repo: f.host.Repo.URL, Name: f.host.Host.Name,
		Box: box, Journal: acts{store}, Host: f, Heart: heart, Log: f.log,
	})
	if err != nil {
		return err
	}
	f.desk.take(ctx, r, open)
	return nil
}

// follow lets be told what a knows.
func (f *feedback) follow(a *reconcile.Agent) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agent = a
}

// hearing lets be looked at what is not on record.
func (f *feedback) hearing(hear func(reconcile.Event)) func(reconcile.Event) {
	if f == nil {
		return hear
	}
	return func(e reconcile.Event) {
		hear(e)
		f.desk.wake()
	}
}

// Sight implements forge.Host.
func (f *feedback) Sight() forge.Sight {
	f.mu.Lock()
	a := f.agent
	f.mu.Unlock()
	if a == nil {
		return forge.Sight{}
	}
	all := a.Standings()
	s := forge.Sight{Commit: all.Wanted.Commit, Refused: all.Refused}
	for _, x := range all.Apps {
		s.Apps = append(s.Apps, forge.App{
			Name: x.App, Judged: x.Judged, Outcome: string(x.Outcome), Reason: x.Reason, Says: x.Says, Waits: x.Waits, Busy: x.Busy, Inputs: x.Inputs,
		})
	}
	return s
}

// Queues implements metrics.Queues.
func (f *feedback) Queues() []metrics.Queue {
	r, ok := f.desk.taken()
	if !ok {
		return nil
	}
	var all []metrics.Queue
	for _, c := range r.Counts() {
		all = append(all, metrics.Queue{Channel: "feedback/" + c.Name, Waiting: c.Waiting, Oldest: c.Oldest, Ended: c.Ended})
	}
	return all
}

// acts is a record as what forges are told of.
type acts struct{ from reconcile.Chronicle }

// Since implements forge.Journal.
func (j acts) Since(id uint64, limit int) ([]forge.Fact, error) {
	entries, err := j.from.Since(id, limit)
	facts := make([]forge.Fact, 0, len(entries))
	for _, e := range entries {
		facts = append(facts, forge.Fact{ID: e.ID, At: e.At, App: e.App, Kind: e.Kind, Outcome: e.Outcome, Commit: e.Revision.Commit, Reason: e.Reason, Says: e.Says})
	}
	return facts, err
}

// checkFeedback finds out whether forges could be told; nothing where none is named.
func checkFeedback(host config.Host) []finding {
	if len(host.Feedback) == 0 {
		return nil
	}
	notes, err := forge.Check(host.Feedback, host.Repo.URL)
	return []finding{foretold("feedback", "every forge has what it needs; none was asked", notes, err)}
}
