package source

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"syncd.io/syncd/internal/source/remote"
)

// What is written is left alone for a moment: quiet after its last change, and no
// longer than patience.
const (
	quiet    = 100 * time.Millisecond
	patience = 5 * time.Second
)

// Watch calls look soon after something changed where the repository is, as far as
// that is on this machine, until ctx ends: a ref, or a bundle. It is no promise, for
// network file systems tell nothing; it only ever means that looking may be worth
// while. What cannot be watched is told to trouble, once.
func (r *Repository) Watch(ctx context.Context, look func(), trouble func(error)) {
	var all sync.WaitGroup
	for _, o := range r.origins {
		if !o.nearby() {
			continue
		}
		all.Go(func() {
			if err := o.watch(ctx, r.want, look, trouble); err != nil {
				trouble(o.about("watch", err))
			}
		})
	}
	all.Wait()
}

func (o *origin) watch(ctx context.Context, want remote.Want, look func(), trouble func(error)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("%w; its changes are found by polling only", err)
	}
	defer w.Close()
	watch := watch{Watcher: w, addr: o.addr, want: want, look: look}
	if err := watch.renew(); err != nil {
		trouble(o.about("watch", fmt.Errorf("%w; its changes are found by polling only", err)))
	}
	watch.run(ctx)
	return nil
}

// watch is one watch of one repository.
type watch struct {
	*fsnotify.Watcher
	addr  remote.Address
	want  remote.Want
	look  func()
	first time.Time // the first change that nobody looked at; zero is none
}

// renew watches the directories that are there now; those that are watched already
// stay so.
func (w *watch) renew() error {
	var all error
	for _, dir := range remote.Watched(w.addr, w.want) {
		if err := w.Add(dir); err != nil && all == nil {
			all = err
		}
	}
	return all
}

func (w *watch) run(ctx context.Context) {
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-w.Events:
			if !open {
				return
			}
			if remote.News(w.addr, e.Name) {
				timer.Reset(w.pause(time.Now()))
			}
		case _, open := <-w.Errors: // events were lost
			if !open {
				return
			}
			timer.Reset(w.pause(time.Now()))
		case <-timer.C:
			w.first = time.Time{}
			_ = w.renew() // what cannot be watched is found by the next poll
			w.look()
		}
	}
}

// pause is how long a change that came now is left alone.
func (w *watch) pause(now time.Time) time.Duration {
	if w.first.IsZero() {
		w.first = now
	}
	return max(0, min(quiet, patience-now.Sub(w.first)))
}
