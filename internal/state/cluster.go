package state

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd.io/syncd/internal/fault"
)

// ClusterOptions say where the record in a cluster is.
type ClusterOptions struct {
	Blobs Blobs
	// Place is where the blobs are, for messages: "namespace syncd".
	Place string
	// Fence tells whether this agent may still write; nil is always. What it returns
	// refuses the write.
	Fence func() error
	// Lost is told, once, that another agent has written a record of ours: what is
	// known here is no longer true. Nil is nobody.
	Lost func(error)
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Cluster is the record in a cluster: sealed blobs, one for each app where it
// fits. All of it is read once, when it is opened, and served from memory; each
// save is one write, which names the version that it replaces, so that an agent
// that is not alone finds out and stops. Its methods may be used by several
// goroutines; each app's record has one owner.
type Cluster struct {
	opts      ClusterOptions
	life      context.Context //nolint:containedctx // saves end with their deadlines, and not with the agent: its last ones come after its end
	seal      sealer
	packer    packer
	chunk     int // the size of chunks, in bytes
	id        string
	recovered []string

	mu      sync.Mutex // guards what follows
	shelves map[string]*shelf
	last    uint64            // the newest ID of all histories
	flying  map[string]uint64 // the first ID that is being written, by shelf
	lost    error
}

// callLimit is what one request may take.
const callLimit = 10 * time.Second

// OpenCluster reads the record in a cluster and makes its key where there is
// none. What cannot be opened is set aside, and Recovered tells; chunks that
// nobody needs any more are removed. Errors: Blocked where the key is missing
// that the record was sealed with; those of Blobs.
func OpenCluster(ctx context.Context, opts ClusterOptions) (*Cluster, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	c := &Cluster{opts: opts, chunk: chunkSize, life: context.WithoutCancel(ctx), shelves: map[string]*shelf{}, flying: map[string]uint64{}}
	if err := c.load(ctx); err != nil {
		if fault.Of(err) == fault.Unknown {
			err = fault.As(fault.Blocked, err)
		}
		return nil, fmt.Errorf("open the record in %s: %w", opts.Place, err)
	}
	return c, nil
}

// load reads all blobs, the key first.
func (c *Cluster) load(ctx context.Context) error {
	call, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	all, err := c.opts.Blobs.List(call)
	if err != nil {
		return err
	}
	s := stockOf(all)
	key, err := c.key(ctx, s)
	if err != nil {
		return err
	}
	if c.seal, err = newSealer(key); err != nil {
		return err
	}
	if c.id, err = identity(key); err != nil {
		return err
	}
	for _, pointer := range s.records {
		if err := c.shelve(ctx, s, pointer); err != nil {
			return err
		}
	}
	if err := c.putBack(ctx, s); err != nil {
		return err
	}
	for _, app := range slices.Sorted(maps.Keys(s.healed)) {
		c.recovered = append(c.recovered, fmt.Sprintf("the record of %.60q: %s", app, s.healed[app]))
	}
	return c.tidy(ctx, s)
}

// Recovered says what was found damaged by OpenCluster and how it was healed, one
// line each; empty where nothing was.
func (c *Cluster) Recovered() string { return strings.Join(c.recovered, "\n") }

// ID names this record, and with it the agent that works on it: what it puts
// carries this name, so that another agent does not take it for its own.
func (c *Cluster) ID() string { return c.id }

// Apps returns the names of all apps that have a record, in order.
func (c *Cluster) Apps() ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var apps []string
	for _, app := range slices.Sorted(maps.Keys(c.shelves)) {
		if app != agentShelf && len(c.shelves[app].now.record) > 0 {
			apps = append(apps, app)
		}
	}
	return apps, nil
}

// Record returns what is remembered of an app; of one that is not known, a
// record with nothing but its name.
func (c *Cluster) Record(app string) (Record, error) {
	r := Record{App: app}
	if err := named(app); err != nil {
		return r, err
	}
	err := unpack(c.content(app).record, &r)
	r.Share()
	return r, reading("record", app, err)
}

// History returns the newest entries of an app, those that concern every app among
// them, the newest first; limit 0 is all.
func (c *Cluster) History(app string, limit int) ([]Entry, error) {
	var own, common []Entry
	err := unpack(c.content(agentShelf).history, &common)
	if app != everyApp {
		err = errors.Join(err, unpack(c.content(app).history, &own))
	}
	return merged(app, own, common, limit), reading("history", app, err)
}

// Logs returns the kept logs of an app, the newest first: those of the commit
// that begins with the digits given, or all where they are empty.
func (c *Cluster) Logs(app, commit string) ([]FailedLog, error) {
	logs, err := c.content(app).found(commit)
	return logs, reading("logs", app, err)
}

func reading(what, app string, err error) error {
	if err == nil {
		return nil
	}
	return fault.As(fault.Blocked, fmt.Errorf("read %s of %s: %w", what, app, err))
}

// content returns what is kept of an app; nothing where it is not known.
func (c *Cluster) content(app string) content {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.shelves[app]; s != nil {
		return s.now
	}
	return content{label: label{App: app}}
}

// Save stores r in place of the app's record. It is in the cluster when Save
// returns; a record that has not changed is not written. Errors: Unreachable where
// nobody knows whether it arrived, Blocked where another agent writes it.
func (c *Cluster) Save(r Record) error {
	return c.change(r.App, "save record of ", func(next *content) error { return next.keep(&c.packer, r) })
}

// SaveWith stores r and appends entries to the history in one write: after a crash
// all are there, or none. It returns the last of them with its ID.
func (c *Cluster) SaveWith(r Record, entries ...Entry) (Entry, error) {
	var last Entry
	err := c.change(r.App, "save record of ", func(next *content) (err error) {
		last, err = c.append(next, r.App, entries)
		return errors.Join(next.keep(&c.packer, r), err)
	})
	return last, err
}

// SaveLog keeps what a failed instance wrote: the last lines that fit in 32 KiB.
// Of more than 10 of one app the oldest go.
func (c *Cluster) SaveLog(l FailedLog) error {
	return c.change(l.App, "save log of ", func(next *content) error { return next.note(&c.packer, l) })
}

// change edits what is kept of one app, and writes it where it differs, or where
// nobody knows what the last write came to.
func (c *Cluster) change(app, doing string, edit func(*content) error) error {
	if err := named(app); err != nil {
		return err
	}
	return c.edit(app, doing, edit)
}

// agentShelf is where a cluster keeps what concerns no single app, the history of
// every app included; no app can be called so.
const agentShelf = "_agent"

func (c *Cluster) edit(app, doing string, edit func(*content) error) error {
	s := c.shelf(app)
	s.writing.Lock()
	defer s.writing.Unlock()
	now := c.content(app)
	next := now
	err := edit(&next)
	if err == nil && next.equal(now) && len(s.unsure) == 0 {
		return nil
	}
	if err == nil {
		err = c.write(s, next)
	}
	c.landed(app, s)
	if err != nil {
		return fmt.Errorf("%s%s: %w", doing, app, err)
	}
	return nil
}

// shelf returns the place of an app, and makes it where there is none.
func (c *Cluster) shelf(app string) *shelf {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shelves[app]
	if s == nil {
		s = newShelf(app)
		c.shelves[app] = s
	}
	return s
}
