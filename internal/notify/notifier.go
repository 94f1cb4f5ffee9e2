package notify

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/outbox"
	"syncd.io/syncd/internal/pulse"
)

// The names of what is kept in the outbox.
const (
	cursor         = "notify"
	notesShelf     = "notify/notes"
	marksNote      = "told"
	knownNote      = "known" // what older agents kept of it
	incidentsShelf = "notify/incidents"
	groupsShelf    = "notify/groups"
	topicOf        = "notify/" // and a channel's name
	alertsShelf    = "notify/alerts/"
)

// The clocks of a notifier.
const (
	ahead    = 10_000              // facts that are read at once
	batch    = 500                 // facts that are taken in one transaction
	silent   = 10 * time.Minute    // for which a turn may give no sign of life: much may be on record
	rhythm   = time.Minute         // between two looks at the record that nobody asked for
	stale    = 24 * time.Hour      // older facts are no news to anybody
	looks    = time.Hour           // between two passes that are listened to and say the same
	oblivion = 30 * 24 * time.Hour // without a sign of an incident, after which the record is asked whether it is open
)

// Journal is what is on record.
type Journal interface {
	// Since returns facts of greater IDs, the oldest first, at most limit.
	Since(id uint64, limit int) ([]Fact, error)
	// Last returns the ID of the newest fact; zero where there is none.
	Last() (uint64, error)
	// Open tells whether what a fact told of is so still, as far as the record knows.
	Open(f Fact) (bool, error)
}

// Shared is a note beside a record that several agents take turns at: how far the
// others told. What they had queued is in outboxes that may be gone.
type Shared interface {
	// Told returns the ID of the fact up to which all was delivered, which is zero where
	// nothing was, and up to which each channel was told; begun is false where nobody
	// ever began to tell.
	Told() (id uint64, to map[string]uint64, begun bool, err error)
	// SetTold keeps it.
	SetTold(id uint64, to map[string]uint64) error
}

// Options say who is told of what.
type Options struct {
	// Notify is the configuration.
	config.Notify
	// Host is this host's name, Labels are its labels.
	Host   string
	Labels map[string]string
	Box    *outbox.Box
	// Journal is where facts are read.
	Journal Journal
	// Shared is asked where to begin; nil where one outbox lasts as long as the record.
	Shared Shared
	// Start is how the record was before the agent wrote to it, or told of that; nil where
	// that is now.
	Start *Start
	// Apps are the owners of all apps, by the apps' names; nil, and a nil map, is that they
	// are not known.
	Apps func() map[string]string
	// Heart gets signs of life; nil is nobody.
	Heart *pulse.Heart
	// Wording makes the texts of templates.
	Wording Wording
	Log     *slog.Logger
}

// Notifier reads what is on record and tells the channels.
type Notifier struct {
	opts     Options
	routes   []route
	channels map[string]channel
	notes    []string
	counts   counts
	wake     chan struct{}
	bells    map[string]chan struct{} // of channels that are told what is so
	remind   map[string]time.Duration

	mu    sync.Mutex // guards what follows
	found map[string]found
	// unwell are the apps whose own state is an incident, looked is what passes said of
	// them last. Until the record was read to its end (caughtUp) any may be one.
	unwell   map[string]bool
	looked   map[string]found
	caughtUp bool

	// shared is what Shared was told last, and when, judged that routes were held against
	// the apps; only Run's goroutine uses them.
	shared   marks
	sharedAt time.Time
	judged   bool
}

// New returns a notifier that tells nobody yet. What it finds on record where it has
// never been before it takes for known, as far as nobody says otherwise: it tells what
// comes after, and reminds of what is still so. Errors: Blocked where the outbox or the record
// cannot be read.
func New(opts Options) (*Notifier, error) {
	routes, notes := routesOf(opts.Notify, opts.Labels, opts.Wording)
	n := &Notifier{
		opts: opts, routes: routes, notes: notes, channels: map[string]channel{}, counts: newCounts(slices.Sorted(maps.Keys(opts.Channels))),
		wake: make(chan struct{}, 1), bells: map[string]chan struct{}{}, remind: map[string]time.Duration{},
		found: map[string]found{}, unwell: map[string]bool{}, looked: map[string]found{},
	}
	for _, r := range routes {
		n.remind[r.name] = r.RemindAfter()
	}
	for name, conf := range opts.Channels {
		n.channels[name] = channelOf(name, opts.Host, conf)
		n.bells[name] = make(chan struct{}, 1)
	}
	return n, n.begin()
}

// Notes say which routes and channels are of no use on this host.
func (n *Notifier) Notes() []string { return n.notes }

// Wake lets the record be read on. It does not block.
func (n *Notifier) Wake() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Found says how a pass ended that need not be on record: unchanged, which is well,
// held, or anything else. That ends, changes or confirms what was told of the app
// before. It does not block.
func (n *Notifier) Found(app, outcome, reason string, at time.Time) {
	n.mu.Lock()
	last := n.looked[app]
	again := outcome != "unchanged" && last.outcome == outcome && last.reason == reason && at.Sub(last.at).Abs() < looks
	wanted := (n.unwell[app] || !n.caughtUp) && !again
	if wanted {
		n.found[app] = found{outcome, reason, at}
		n.looked[app] = n.found[app]
	}
	n.mu.Unlock()
	if wanted {
		n.Wake()
	}
}

// found is how an app was found.
type found struct {
	outcome, reason string
	at              time.Time
}

// Run tells until ctx ends. What is being sent then has three seconds to arrive; all
// else waits in the outbox.
func (n *Notifier) Run(ctx context.Context) {
	var hands sync.WaitGroup
	defer hands.Wait()
	for _, name := range slices.Sorted(maps.Keys(n.channels)) {
		hands.Go(func() { n.serve(ctx, name) })
	}
	work := n.opts.Heart.Begin("the loop of notifications", silent)
	defer work.End()
	quiet := true // what is old when the agent starts is no news
	for ctx.Err() == nil {
		work.Sign()
		next, err := n.turn(ctx, quiet)
		if err != nil && ctx.Err() == nil {
			n.opts.Log.Warn("what is on record could not be told yet", "error", err, "hint", fault.Advice(err))
		}
		quiet = quiet && err != nil
		wait := rhythm
		if err == nil {
			wait = n.share()
		}
		n.nameStrays()
		if !next.IsZero() {
			wait = max(0, min(wait, time.Until(next)))
		}
		work.Rest()
		select {
		case <-n.wake:
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// serve is one channel's own goroutine.
func (n *Notifier) serve(ctx context.Context, name string) {
	conf := n.opts.Channels[name]
	if conf.Type == config.Alertmanager {
		n.keepAlerts(ctx, name)
		return
	}
	outbox.Courier{
		Box: n.opts.Box, Topic: topicOf + name, Limit: conf.Limit(), Pause: conf.Between(), Deliver: n.deliver(name), Heart: n.opts.Heart,
		Told: func(item outbox.Item, what outbox.Outcome, err error) { n.told(name, item.Key, what, err) },
	}.Run(ctx)
}

// told counts what became of an attempt, and has it in the log where it failed.
func (n *Notifier) told(name, key string, what outbox.Outcome, err error) {
	n.counts.add(name, what)
	log := n.opts.Log.With("channel", name, "message", key)
	if err != nil {
		log = log.With("error", err)
	}
	if hint := fault.Advice(err); hint != "" {
		log = log.With("hint", hint)
	}
	switch what {
	case outbox.Delivered:
		log.Debug("told")
		if n.opts.Shared != nil {
			n.Wake() // it may have been the last
		}
	case outbox.Retried:
		log.Warn("a channel could not be told; it is tried again")
	default:
		log.Error("a message is given up", "outcome", string(what))
	}
}
