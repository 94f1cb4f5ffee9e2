// Package annotate marks deploys and rollbacks in Grafana, so that a graph shows what
// was changed when. It reads what is on record, and queues it in the outbox: nothing is
// lost by a restart, or while Grafana is away.
package annotate

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// The names of what is kept in the outbox.
const (
	cursor = "annotations"
	topic  = "annotations"
)

// The clocks of an annotator.
const (
	settle = 2 * time.Second  // from news to the look at the record: what is told of is written by then
	silent = 10 * time.Minute // for which a turn may give no sign of life: much may be on record
	rhythm = time.Minute      // between two looks that nobody asked for
	stale  = 24 * time.Hour   // what is older when the agent starts is not marked
	recent = time.Hour        // nor is what is older than this where it has never been before
	batch  = 10_000           // what is read at once: each time, a record in a cluster is unpacked
)

// Fact is what the record says of one app.
type Fact struct {
	// ID ascends over all facts.
	ID      uint64
	App     string
	At      time.Time
	Took    time.Duration
	Kind    string
	Outcome string
	Who     string
	// Commit, Author and Subject are the revision's.
	Commit, Author, Subject string
	Reason                  string
	// Changed tells that something was put, stopped or removed.
	Changed bool
}

// Journal is what is on record.
type Journal interface {
	// Since returns facts of greater IDs, the oldest first, at most limit.
	Since(id uint64, limit int) ([]Fact, error)
}

// Options say where marks go.
type Options struct {
	// URL is Grafana's, TokenFile holds the token of a service account there; TokenEnv
	// names a variable of the environment that does instead.
	URL, TokenFile, TokenEnv string
	// Host is this host's name.
	Host    string
	Box     *outbox.Box
	Journal Journal
	// Heart gets signs of life; nil is nobody.
	Heart *pulse.Heart
	Log   *slog.Logger
}

// Annotator marks what is on record.
type Annotator struct {
	opts Options
	news chan struct{}

	mu     sync.Mutex // guards what follows
	counts map[string]uint64
}

// New returns an annotator that marks nothing yet. Where it has never been before, it
// goes on from an hour ago: in a cluster, an outbox ends with its pod, and what another
// one has marked is not marked again. Errors: Rejected for a URL that is none,
// Blocked where outbox or record cannot be read.
func New(opts Options) (*Annotator, error) {
	if _, err := addressOf(opts.URL); err != nil {
		return nil, err
	}
	a := &Annotator{opts: opts, news: make(chan struct{}, 1), counts: map[string]uint64{}}
	known := false
	if err := opts.Box.View(func(tx *outbox.Tx) error { _, known = tx.Cursor(cursor); return nil }); err != nil {
		return nil, fmt.Errorf("see what was annotated: %w", err)
	}
	since := time.Now().Add(-recent)
	for done := known; !done; {
		count, err := a.read(func(f Fact) bool { return f.At.After(since) })
		if err != nil {
			return nil, fmt.Errorf("see what is on record: %w", err)
		}
		done = count < batch
	}
	return a, nil
}

// Wake says that there may be something new on record in a moment. It does not block.
func (a *Annotator) Wake() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// Run marks until ctx ends. What is being sent then has three seconds to arrive; all
// else waits in the outbox.
func (a *Annotator) Run(ctx context.Context) {
	var courier sync.WaitGroup
	defer courier.Wait()
	courier.Go(func() {
		outbox.Courier{Box: a.opts.Box, Topic: topic, Heart: a.opts.Heart, Deliver: a.deliver, Told: a.told}.Run(ctx)
	})
	fresh := time.Now().Add(-stale)
	work := a.opts.Heart.Begin("the loop of annotations", silent)
	defer work.End()
	for ctx.Err() == nil {
		work.Sign()
		if err := a.readOn(func(f Fact) bool { return f.At.After(fresh) }); err != nil {
			a.opts.Log.Warn("what is on record could not be annotated yet", "error", err, "hint", fault.Advice(err))
		}
		work.Rest()
		select {
		case <-a.news:
			_ = nap.For(ctx, settle) // the loop sees the end
		case <-time.After(rhythm):
		case <-ctx.Done():
		}
	}
}

// readOn reads the record to its end.
func (a *Annotator) readOn(counts func(Fact) bool) error {
	for {
		if count, err := a.read(counts); err != nil || count < batch {
			return err
		}
	}
}

// read takes the next facts: the cursor moves in the transaction that queues what they
// lead to, so that a crash neither loses nor repeats one.
func (a *Annotator) read(counts func(Fact) bool) (int, error) {
	var from uint64
	if err := a.opts.Box.View(func(tx *outbox.Tx) error { from, _ = tx.Cursor(cursor); return nil }); err != nil {
		return 0, err
	}
	facts, err := a.opts.Journal.Since(from, batch)
	if err != nil {
		return 0, err
	}
	last := from
	return len(facts), a.opts.Box.Update(func(tx *outbox.Tx) error {
		for _, f := range facts {
			last = f.ID
			mark, is := markOf(f, a.opts.Host)
			if !is || !counts(f) {
				continue
			}
			body, err := json.Marshal(mark)
			if err != nil {
				return fmt.Errorf("encode an annotation: %w", err)
			}
			if err := tx.Add(topic, outbox.Item{Key: fmt.Sprintf("%s/%d", f.App, f.ID), Body: body}); err != nil {
				return err
			}
		}
		return tx.SetCursor(cursor, last)
	})
}

// told counts what became of an attempt, and has it in the log where it failed.
func (a *Annotator) told(item outbox.Item, what outbox.Outcome, err error) {
	a.mu.Lock()
	a.counts[string(what)]++
	a.mu.Unlock()
	log := a.opts.Log.With("annotation", item.Key)
	switch what {
	case outbox.Delivered:
	case outbox.Retried:
		log.Warn("Grafana did not take an annotation; it is tried again", "error", err, "hint", fault.Advice(err))
	default:
		log.Error("an annotation is given up", "outcome", string(what), "error", err, "hint", fault.Advice(err))
	}
}

// Queue says how many annotations wait, and from when the oldest is; and how many
// attempts came to what.
func (a *Annotator) Queue() (waiting int, oldest time.Time, ended map[string]uint64) {
	length, err := a.opts.Box.Length(topic)
	if err != nil { // whoever delivers tells
		length = outbox.Length{}
	}
	ended = map[string]uint64{"dropped": length.Dropped}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, word := range outbox.Outcomes() {
		ended[string(word)] = a.counts[string(word)]
	}
	return length.Items, length.Oldest, ended
}

// words joins those that are there.
func words(all ...string) string {
	var out []string
	for _, w := range all {
		if w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}
