package reconcile

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// watchFiles begins to watch the host's value files: the loop looks when one of
// them changes, until ctx ends. Their directories are watched, because editors
// and secret managers replace files. What cannot be watched is found by the next
// poll all the same, and said.
func (a *Agent) watchFiles(ctx context.Context, loops *sync.WaitGroup) {
	files := map[string]bool{}
	for _, f := range a.opts.Host.Host.EnvFiles {
		files[filepath.Clean(f)] = true
	}
	if len(files) == 0 {
		return
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		a.hear(Event{Text: "changes of host.envFiles are found by polling only: " + err.Error()})
		return
	}
	for f := range files {
		if err := watcher.Add(filepath.Dir(f)); err != nil {
			a.hear(Event{Text: fmt.Sprintf("changes of %s are found by polling only: %v", f, err)})
		}
	}
	loops.Go(func() {
		defer watcher.Close()
		a.hearFiles(ctx, watcher, files)
	})
}

func (a *Agent) hearFiles(ctx context.Context, watcher *fsnotify.Watcher, files map[string]bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-watcher.Events:
			if files[filepath.Clean(e.Name)] {
				wake(a.values)
			}
		case err := <-watcher.Errors:
			a.hear(Event{Text: "watching host.envFiles: " + err.Error()})
			wake(a.values) // events were lost
		}
	}
}
