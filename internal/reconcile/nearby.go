package reconcile

import (
	"context"
	"sync"

	"syncd.io/syncd/internal/source"
)

// Watched is a Source that can tell early that there may be something new, because
// it is on this machine.
type Watched interface {
	// Watch calls look after changes, until ctx ends, and trouble where it cannot.
	Watch(ctx context.Context, look func(), trouble func(error))
}

// watchSource begins to watch the repository: the loop looks when it changes. Polling
// goes on, for not every file system tells.
func (a *Agent) watchSource(ctx context.Context, loops *sync.WaitGroup) {
	watched, ok := a.opts.Source.(Watched)
	if !ok {
		return
	}
	loops.Go(func() {
		watched.Watch(ctx, func() { wake(a.poke) }, func(err error) { a.hear(Event{Text: err.Error()}) })
	})
}

// Bundled is a Source that may be made of bundles.
type Bundled interface {
	// Bundles says what became of each.
	Bundles() []source.BundleState
}

// tellBundles names each bundle that does not count, once.
func (f *follower) tellBundles() {
	bundled, ok := f.opts.Source.(Bundled)
	if !ok {
		return
	}
	told := map[string]bool{}
	for _, s := range bundled.Bundles() {
		if s.Counts() || s.Fresh {
			continue
		}
		text := s.String()
		told[text] = true
		if !f.named[text] {
			f.hear(Event{Text: "bundle " + text})
		}
	}
	f.named = told
}
