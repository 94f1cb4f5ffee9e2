package reconcile

import (
	"context"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/pulse"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Source brings revisions. Resolve costs one ref query; Load gives the files of
// one commit. It may also be Bundled, a Forgetter, Learner, Recaller, Voucher, Remotes
// or Watched.
type Source interface {
	Resolve(ctx context.Context) (commit string, err error)
	ResolveRef(ctx context.Context, name string) (commit string, err error)
	Load(ctx context.Context, commit string) (source.Snapshot, error)
	Collect(keep ...string) error
}

// A repository is all that a Source may be besides: what it were no more would be
// missed in silence.
var (
	_ Source    = (*source.Repository)(nil)
	_ Bundled   = (*source.Repository)(nil)
	_ Forgetter = (*source.Repository)(nil)
	_ Learner   = (*source.Repository)(nil)
	_ Recaller  = (*source.Repository)(nil)
	_ Remotes   = (*source.Repository)(nil)
	_ Voucher   = (*source.Repository)(nil)
	_ Watched   = (*source.Repository)(nil)
)

// Charts brings Helm charts that are not in the repository. It may also be a
// Forgetter.
type Charts interface {
	// Fetch returns the file of a packed chart that has the pinned digest.
	Fetch(ctx context.Context, want config.Chart) (file string, err error)
	Collect(keep ...config.Chart) error
}

// Renderer turns the files of a snapshot into objects.
type Renderer interface {
	Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error)
	Render(ctx context.Context, req render.Request) (render.Answer, error)
}

// Engine is where apps live. It may also be Facts, Gates, Keepers, Origins,
// Pruner or Watcher.
type Engine interface {
	// Target returns a place of one app: it is kept, and each call returns one of
	// its own, for passes and questions go on side by side.
	Target(app string) apply.Target
}

// Watcher wakes the agent early: the channel gets the name of an app after
// something of it changed, or an empty name when events were lost. It is closed
// when ctx ends.
type Watcher interface {
	Watch(ctx context.Context) <-chan string
}

// Facts are what only the target knows and a person wants to read.
type Facts interface {
	// FreeMemory is what the host can still give, in bytes.
	FreeMemory(ctx context.Context) (int64, error)
	// Image returns what an image says about itself; false where it is not there.
	Image(ctx context.Context, pin string) (Image, bool, error)
}

// Image is what an image says about itself in its OCI labels.
type Image struct {
	Version, Created, Revision string
}

// Origins knows where what runs came from, and tells other agents on the same
// target who has it.
type Origins interface {
	// Origin returns what adopting the app would take over.
	Origin(ctx context.Context, app string) (apply.Origin, error)
	// TakeOver tells the other agents that the app is this one's. Errors: Blocked
	// where one of them took it over at the same time.
	TakeOver(ctx context.Context, app string) error
	// HandBack takes back what TakeOver told.
	HandBack(ctx context.Context, app string) error
}

// Keepers knows of the tools that keep things on the target besides syncd.
type Keepers interface {
	// Suspend says what to do so that a maker (resource.Instance.Maker) does not put
	// its own back; empty where it never does by itself.
	Suspend(maker string) string
}

// Pruner removes what a target keeps of revisions that are gone.
type Pruner interface {
	// PruneImages removes those of recorded that are not in keep.
	PruneImages(ctx context.Context, keep, recorded []string) error
}

// Records is where the record of each app is kept. What is saved is there after
// the end of this process, however it ends. Errors: Blocked where the place is in
// trouble or another agent's; Unreachable where it does not answer, after which
// nobody knows whether the save arrived.
type Records interface {
	// Apps returns the names of all apps that have a record, in order.
	Apps() ([]string, error)
	// Record returns what is remembered of an app; of one that is not known, a
	// record with nothing but its name.
	Record(app string) (state.Record, error)
	// Save stores r in place of the app's record; one that has not changed is not
	// written.
	Save(r state.Record) error
	// SaveWith stores r and appends entries to the history, all or none. It returns
	// the last of them with its ID.
	SaveWith(r state.Record, entries ...state.Entry) (state.Entry, error)
}

// Chronicle is the history of all apps, and of the agent itself (App is empty), in
// one line.
type Chronicle interface {
	// Append adds e to the history of its app and returns it with its ID: ascending
	// over all apps.
	Append(e state.Entry) (state.Entry, error)
	// Since returns the entries with a greater ID than id, the oldest first; limit 0
	// is all.
	Since(id uint64, limit int) ([]state.Entry, error)
}

// Journal is what is remembered of what was.
type Journal interface {
	// History returns the newest entries of an app, the newest first; limit 0 is
	// all.
	History(app string, limit int) ([]state.Entry, error)
	// Logs returns the kept logs of an app, the newest first: those of the commit
	// that begins with the digits given, or all where they are empty.
	Logs(app, commit string) ([]state.FailedLog, error)
	// SaveLog keeps what a failed instance wrote.
	SaveLog(l state.FailedLog) error
	// Recovered says what was found damaged at the start and how it was healed, one
	// line each; empty where nothing was.
	Recovered() string
}

// Store is all that an agent remembers: on disk or in the cluster.
type Store interface {
	Records
	Journal
	Chronicle
}

var (
	_ Store = (*state.Store)(nil)
	_ Store = (*state.Cluster)(nil)
)

// Options are what an agent is made of. Source may be nil for an agent that
// only looks at a local directory; Engine may be nil where none is needed.
type Options struct {
	Host     config.Host
	Source   Source
	Renderer Renderer
	Charts   Charts // nil where no app names a chart
	Engine   Engine
	Store    Store
	Mounts   state.Mounts
	// ReadOnly reports and never acts.
	ReadOnly bool
	// Hear gets every event of the agent, from several goroutines at once; nil is
	// silent. It must not block.
	Hear func(Event)
	// Why hears of each decision, and what it was made of; nil is nobody. App is empty
	// for what concerns all. It must not block.
	Why func(app, text string)
	// Heart gets the signs of life of the agent's loops; nil is nobody.
	Heart *pulse.Heart
	// Now is the clock of records; nil is the system's.
	Now func() time.Time
	// Resync is the time between two full looks at an app that nothing woke.
	// Zero is ten minutes.
	Resync time.Duration
	// Poll is the time between two looks at an instance's health. Zero is 100 ms.
	Poll time.Duration
	// Patience is how long a target may stay unreachable in mid-rollout. Zero is
	// two minutes.
	Patience time.Duration
	// Grace is what a rollout may take, once the agent is told to end, to finish
	// what it has begun. Zero is 30 s.
	Grace time.Duration
}
