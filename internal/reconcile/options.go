package reconcile

import (
	"context"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Source brings revisions. Resolve costs one ref query; Load gives the files of
// one commit.
type Source interface {
	Resolve(ctx context.Context) (commit string, err error)
	ResolveRef(ctx context.Context, name string) (commit string, err error)
	Load(ctx context.Context, commit string) (source.Snapshot, error)
	Collect(keep ...string) error
}

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

// Engine is where apps live. It may also be Facts, Gates, Origins, Pruner or
// Watcher.
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

// Pruner removes what a target keeps of revisions that are gone.
type Pruner interface {
	// PruneImages removes those of recorded that are not in keep.
	PruneImages(ctx context.Context, keep, recorded []string) error
}

// Options are what an agent is made of. Source may be nil for an agent that
// only looks at a local directory; Engine may be nil where none is needed.
type Options struct {
	Host     config.Host
	Source   Source
	Renderer Renderer
	Charts   Charts // nil where no app names a chart
	Engine   Engine
	Store    *state.Store
	Mounts   state.Mounts
	// ReadOnly reports and never acts.
	ReadOnly bool
	// Hear gets every event of the agent, from several goroutines at once; nil is
	// silent. It must not block.
	Hear func(Event)
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
