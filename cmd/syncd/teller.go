package main

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/notify"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// teller lets people be told of what is on record, while there is an agent that
// writes it. One of nobody (nil) tells nothing.
type teller struct {
	host  config.Host
	words notify.Wording
	log   *slog.Logger
	desk  desk[*notify.Notifier]
	// agent knows the apps; nil while there is none.
	agent atomic.Pointer[reconcile.Agent]
}

// tellerOf is the teller of an agent; nil where the settings name nobody. Errors: a
// template that fails.
func tellerOf(ctx context.Context, host config.Host, words notify.Wording, readOnly bool, log *slog.Logger) (*teller, error) {
	if len(host.Notify.Routes) == 0 {
		return nil, nil
	}
	notes, err := notify.Check(ctx, host.Notify, host.Host.Labels, words)
	if err := warned(log, "notify", notes, err); err != nil {
		return nil, err
	}
	if readOnly {
		log.Warn("nobody is told anything: who never acts keeps no record", "setting", "notify")
		return nil, nil
	}
	return &teller{host: host, words: words, log: log}, nil
}

// start is how store is before the agent writes to it; nil where that is not known.
func (t *teller) start(store record) *notify.Start {
	if t == nil {
		return nil
	}
	start, err := notify.StartOf(journal{store}, sharedBy(store))
	if err != nil {
		t.log.Warn("where telling begins could not be noted: what comes first may be told to nobody", "error", err, "hint", fault.Advice(err))
		return nil
	}
	return &start
}

// sharedBy is the note in a record in the cluster, which outlasts the outbox; nil for
// other records.
func sharedBy(store record) notify.Shared {
	shared, _ := store.(notify.Shared)
	return shared
}

// noting returns the store that the agent has to write to: what is written to it is
// told at once.
func (t *teller) noting(store record) record {
	if t == nil {
		return store
	}
	return noted{store, t.desk.wake}
}

// begin tells of what is written to store since start, by way of box, until open is
// closed.
func (t *teller) begin(ctx context.Context, box *outbox.Box, store record, start *notify.Start, heart *pulse.Heart, open *closers) error {
	if t == nil {
		return nil
	}
	n, err := notify.New(notify.Options{
		Notify: t.host.Notify, Host: t.host.Host.Name, Labels: t.host.Host.Labels,
		Box: box, Journal: journal{store}, Shared: sharedBy(store), Start: start, Apps: t.apps, Heart: heart, Wording: t.words, Log: t.log,
	})
	if err != nil {
		return err
	}
	t.desk.take(ctx, n, open)
	return nil
}

// follow lets routes be held against what a knows; nil is nobody.
func (t *teller) follow(a *reconcile.Agent) {
	if t != nil {
		t.agent.Store(a)
	}
}

// apps are the owners of the apps; nil is that they are not known.
func (t *teller) apps() map[string]string {
	if a := t.agent.Load(); a != nil {
		return a.Owners()
	}
	return nil
}

// hearing lets passes that are not on record end, or confirm, what was told of their
// apps.
func (t *teller) hearing(hear func(reconcile.Event)) func(reconcile.Event) {
	if t == nil {
		return hear
	}
	return func(e reconcile.Event) {
		hear(e)
		if n, ok := t.desk.taken(); ok && e.Result != nil {
			r := e.Result
			outcome := string(r.Outcome)
			if r.Outcome == reconcile.Blocked && r.Cause == reconcile.CauseWindow {
				outcome = "window pending"
			}
			n.Found(e.App, outcome, r.Reason, e.At)
		}
	}
}

// Queues implements metrics.Queues.
func (t *teller) Queues() []metrics.Queue {
	n, ok := t.desk.taken()
	if !ok {
		return nil
	}
	waiting, oldest := n.Waiting()
	queues := map[string]metrics.Queue{}
	for name, count := range waiting {
		queues[name] = metrics.Queue{Channel: name, Waiting: count, Oldest: oldest[name], Ended: map[string]uint64{}}
	}
	for of, count := range n.Deliveries() {
		if q, ok := queues[of[0]]; ok {
			q.Ended[of[1]] = count
		}
	}
	return slices.SortedFunc(maps.Values(queues), func(a, b metrics.Queue) int { return cmp.Compare(a.Channel, b.Channel) })
}

// noted is a record that lets be read on what is written to it.
type noted struct {
	record
	after func()
}

// SaveWith implements reconcile.Records.
func (n noted) SaveWith(r state.Record, entries ...state.Entry) (state.Entry, error) {
	e, err := n.record.SaveWith(r, entries...)
	n.after()
	return e, err
}

// Append implements reconcile.Chronicle.
func (n noted) Append(e state.Entry) (state.Entry, error) {
	e, err := n.record.Append(e)
	n.after()
	return e, err
}

// journal is a record as facts.
type journal struct{ from record }

// Last implements notify.Journal.
func (j journal) Last() (uint64, error) { return j.from.Last() }

// Since implements notify.Journal.
func (j journal) Since(id uint64, limit int) ([]notify.Fact, error) {
	entries, err := j.from.Since(id, limit)
	facts := make([]notify.Fact, 0, len(entries))
	for _, e := range entries {
		facts = append(facts, factOf(e))
	}
	return facts, err
}

// Open implements notify.Journal.
func (j journal) Open(f notify.Fact) (bool, error) {
	if f.Kind == state.SourceKind {
		return j.troubled(f.Incident)
	}
	rec, err := j.from.Record(f.App)
	switch {
	case err != nil:
		return false, err
	case f.Kind == "drift":
		return rec.Incident != nil && state.IncidentID(f.App, rec.Incident.Number) == f.Incident, nil
	case f.Kind == "window":
		return rec.Waits != "", nil
	}
	switch reconcile.Outcome(rec.Last.Outcome) {
	case "", reconcile.Applied, reconcile.Unchanged:
		return false, nil
	}
	return !rec.Released, nil // what was rolled back is held since, and the like
}

// troubled tells whether the last word about a remote is one of trouble.
func (j journal) troubled(remote string) (bool, error) {
	entries, err := j.from.History("", 0)
	for _, e := range entries { // the newest first
		if e.Kind == state.SourceKind && e.Incident == remote {
			return e.Outcome != "recovered", err
		}
	}
	return false, err
}

// factOf is what people may be told of an entry.
func factOf(e state.Entry) notify.Fact {
	return notify.Fact{
		ID: e.ID, At: e.At, App: e.App, Owner: e.Owner, Kind: e.Kind, Outcome: e.Outcome, Who: e.Who,
		Revision: notify.Revision{Commit: e.Revision.Commit, Author: e.Revision.Author, Subject: e.Revision.Subject},
		Reason:   e.Reason, Says: e.Says, Still: e.Still, Hint: e.Hint, Incident: e.Incident, Findings: e.Findings, More: e.More, Duration: e.Duration,
	}
}

// checkNotify finds out whether people could be told; nothing where nobody is named.
func checkNotify(ctx context.Context, host config.Host, words notify.Wording) []finding {
	if len(host.Notify.Channels)+len(host.Notify.Routes) == 0 {
		return nil
	}
	notes, err := notify.Check(ctx, host.Notify, host.Host.Labels, words)
	return []finding{foretold("notify", "every channel has what it needs; none was asked", notes, err)}
}
