package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/resource"
)

// destination is one forge, with the repository that it has.
type destination struct {
	conf  config.Feedback
	place config.ForgePlace
	host  string
	speak dialect
	log   *slog.Logger

	mu sync.Mutex // guards what follows
	// ended counts attempts, by what became of them.
	ended map[outbox.Outcome]uint64
	// ill is what was said of it last that still holds: it is said once.
	ill map[outbox.Outcome]bool
}

func newDestination(conf config.Feedback, opts Options) (*destination, error) {
	place, err := conf.Place(opts.Repo)
	if err != nil {
		return nil, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("feedback %s: its setting %w", conf.Label(), err)), fault.Advice(err))
	}
	d := &destination{
		conf: conf, place: place, host: opts.Name, speak: dialectOf(conf.Provider), log: opts.Log,
		ended: map[outbox.Outcome]uint64{}, ill: map[outbox.Outcome]bool{},
	}
	for _, what := range outbox.Outcomes() {
		d.ended[what] = 0
	}
	return d, nil
}

func (d *destination) name() string  { return d.conf.Label() }
func (d *destination) topic() string { return topicOf + d.name() }

// status is a verdict as this forge is told of it; app is empty for that on the host.
func (d *destination) status(hash, app string, v verdict) Status {
	return Status{
		Commit: hash, State: v.state, Context: contextOf(d.conf, d.host, app),
		Description: resource.Harmless(v.text, descriptionBound), URL: fill(d.conf.TargetURL, d.conf, d.host, app, hash),
	}
}

func (d *destination) courier(opts Options) outbox.Courier {
	return outbox.Courier{Box: opts.Box, Heart: opts.Heart, Topic: d.topic(), Limit: d.conf.Limit(), Pause: gap, Deliver: d.deliver, Told: d.told}
}

// gap is the least time between two statuses. GitHub asks for a second between
// requests that write (docs.github.com, "Best practices for using the REST API").
const gap = time.Second

// deliver makes one attempt.
func (d *destination) deliver(ctx context.Context, item outbox.Item) error {
	var s Status
	if err := json.Unmarshal(item.Body, &s); err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("read what is to be told: %w", err))
	}
	return d.send(ctx, s)
}

// told counts what became of an attempt. What goes wrong is said once, until it goes
// well again.
func (d *destination) told(item outbox.Item, what outbox.Outcome, err error) {
	d.mu.Lock()
	d.ended[what]++
	said := d.ill[what]
	if what == outbox.Delivered {
		clear(d.ill)
	} else {
		d.ill[what] = true
	}
	d.mu.Unlock()
	log := d.log.With("feedback", d.name(), "status", item.Key, "outcome", string(what))
	switch {
	case what == outbox.Delivered:
		log.Debug("a commit's status is set")
	case said:
		log.Debug("a commit's status is not set", "error", err)
	case what == outbox.Retried:
		log.Warn("a commit's status could not be set; it is tried again", "error", err, "hint", fault.Advice(err))
	default:
		log.Warn("a commit's status is given up", "error", err, "hint", fault.Advice(err))
	}
}
