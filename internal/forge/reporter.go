package forge

import (
	"context"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// The clocks of a reporter.
const (
	batch  = 500                    // facts that are read at once
	silent = 10 * time.Minute       // for which a turn may give no sign of life: much may be on record
	rhythm = time.Minute            // between two looks that nobody asked for
	settle = 500 * time.Millisecond // what happens at once is told at once
	recent = time.Hour              // a commit that failed, and was never spoken of, is told of for so long
)

// Options say who is told.
type Options struct {
	Feedback []config.Feedback
	// Repo is the URL of the repository that is followed, Name this host's name.
	Repo, Name string
	Box        *outbox.Box
	Journal    Journal
	Host       Host
	// Heart gets signs of life; nil is nobody.
	Heart *pulse.Heart
	Log   *slog.Logger
}

// Reporter watches how commits fare, and tells the forges.
type Reporter struct {
	opts   Options
	to     []*destination
	wake   chan struct{}
	memory memory // what is in the outbox; only Run's goroutine uses it
}

// New returns a reporter that tells nobody yet. Where it has never been before it
// begins at the end of the record. Errors: Blocked where the outbox or the record
// cannot be read; Rejected where a forge's repository cannot be told.
func New(opts Options) (*Reporter, error) {
	r := &Reporter{opts: opts, wake: make(chan struct{}, 1)}
	for _, conf := range opts.Feedback {
		d, err := newDestination(conf, opts)
		if err != nil {
			return nil, err
		}
		r.to = append(r.to, d)
	}
	return r, r.begin()
}

// begin recalls what is known, finds its place in the record, and forgets what waits
// for those who are told no more.
func (r *Reporter) begin() error {
	known := false
	if err := r.opts.Box.View(func(tx *outbox.Tx) (err error) {
		_, known = tx.Cursor(cursor)
		r.memory, err = recall(tx)
		return err
	}); err != nil {
		return err
	}
	from, err := r.end(known)
	if err != nil {
		return err
	}
	return r.opts.Box.Update(func(tx *outbox.Tx) error {
		if !known {
			if err := tx.SetCursor(cursor, from); err != nil {
				return err
			}
		}
		return tx.Forget(func(topic string) bool {
			return !strings.HasPrefix(topic, topicOf) || slices.ContainsFunc(r.to, func(d *destination) bool { return d.topic() == topic })
		})
	})
}

// end is the ID of the last fact on record; where the place is known, nobody asks.
func (r *Reporter) end(known bool) (last uint64, err error) {
	for !known {
		facts, err := r.opts.Journal.Since(last, batch)
		if err != nil || len(facts) == 0 {
			return last, err
		}
		last = facts[len(facts)-1].ID
	}
	return last, nil
}

// Wake lets it look. It does not block.
func (r *Reporter) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends. What is being sent then has three seconds to arrive; all
// else waits in the outbox.
func (r *Reporter) Run(ctx context.Context) {
	var hands sync.WaitGroup
	defer hands.Wait()
	for _, d := range r.to {
		hands.Go(func() { d.courier(r.opts).Run(ctx) })
	}
	work := r.opts.Heart.Begin("the loop of feedback", silent)
	defer work.End()
	for ctx.Err() == nil {
		work.Sign()
		if err := r.turn(time.Now()); err != nil {
			r.opts.Log.Warn("how commits fare could not be told yet", "error", err, "hint", fault.Advice(err))
		}
		work.Rest()
		select {
		case <-r.wake:
		case <-time.After(rhythm):
		case <-ctx.Done():
		}
		_ = nap.For(ctx, settle) // the loop sees the end
	}
	if err := r.turn(time.Now()); err != nil { // what the last pass came to is queued
		r.opts.Log.Warn("how commits fare is told by the next agent", "error", err)
	}
}

// turn reads the record to its end, looks how things stand, and queues what is news.
// Cursor, memory and queue change in one transaction.
func (r *Reporter) turn(now time.Time) error {
	sight := r.opts.Host.Sight() // before the record: what it shows is there, or comes
	var from uint64
	if err := r.opts.Box.View(func(tx *outbox.Tx) error {
		from, _ = tx.Cursor(cursor)
		return nil
	}); err != nil {
		return err
	}
	m, last := r.memory.clone(), from
	for {
		facts, err := r.opts.Journal.Since(last, batch)
		if err != nil {
			return err
		}
		m.learn(facts, now)
		if len(facts) > 0 {
			last = facts[len(facts)-1].ID
		}
		if len(facts) < batch {
			break
		}
	}
	m.look(sight, now)
	queued := r.news(m, sight.Commit, now)
	m.forget(sight)
	if last == from && len(queued) == 0 && reflect.DeepEqual(m, r.memory) {
		return nil
	}
	if err := r.opts.Box.Update(func(tx *outbox.Tx) error {
		for _, q := range queued {
			if err := q.add(tx); err != nil {
				return err
			}
		}
		if err := m.keep(tx, r.memory); err != nil {
			return err
		}
		return tx.SetCursor(cursor, last)
	}); err != nil {
		return err
	}
	r.memory = m
	return nil
}

// news are the statuses that are worth sending; m remembers that they are. Where it is
// not known which commit is wanted, they are those of commits that are not followed.
func (r *Reporter) news(m memory, wanted string, now time.Time) []outgoing {
	var out []outgoing
	for _, hash := range slices.Sorted(maps.Keys(m.commits)) {
		c := m.commits[hash]
		if wanted == "" && c.Refused == "" {
			continue
		}
		for _, d := range r.to {
			for app, v := range c.verdicts(hash, wanted, d.conf.PerApp && wanted != "") {
				status := d.status(hash, app, v)
				key := d.name() + "\x00" + status.Context
				before, known := c.Told[key]
				late := hash != wanted && !known && (v.state != Failure || now.Sub(c.Seen) > recent)
				if late || !v.news(before, known) {
					continue
				}
				c.Told[key] = told{State: v.state, Says: v.says}
				out = append(out, outgoing{topic: d.topic(), Status: status})
			}
		}
	}
	return out
}

// verdicts are those on the host as a whole, under no name, and on each app that the
// commit concerns.
func (c *commit) verdicts(hash, wanted string, perApp bool) map[string]verdict {
	all := map[string]verdict{}
	past := hash != wanted
	if past {
		all[""] = c.judgePast(short(wanted))
	} else {
		all[""] = c.judge(short(hash))
	}
	if !perApp {
		return all
	}
	for app, n := range c.Apps {
		switch {
		case !n.Concerned:
		case past:
			all[app] = c.judgePastApp(app, short(wanted))
		default:
			all[app] = c.judgeApp(app)
		}
	}
	return all
}

// short is the first ten digits of a commit.
func short(hash string) string { return hash[:min(10, len(hash))] }
