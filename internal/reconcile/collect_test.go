package reconcile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/reconcile"
)

// mounting is an engine whose containers mount files.
type mounting struct {
	*world
	mounted []string
	err     error
}

func (m *mounting) Mounted(context.Context) ([]string, error) { return m.mounted, m.err }

// What a container mounts stays, also where the record has forgotten what it was
// put for: an attempt that another one superseded serves on.
func TestMountsOfLivingContainersStay(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		engine := &mounting{world: w, mounted: []string{"serving"}, err: errors.New("no answer")}
		w.restart(func(o *reconcile.Options) { o.Engine = engine })
		w.repo.shop(healthy("v1"))
		for _, hash := range []string{"serving", "old"} {
			dir := filepath.Join(w.dir, "mounts", hash)
			w.must(os.MkdirAll(dir, 0o700))
			w.must(os.Chtimes(dir, time.Unix(0, 0), time.Unix(0, 0))) // the bubble's clock is behind the disk's
		}
		defer w.background()()
		left := func(what string, want ...string) {
			t.Helper()
			entries, err := os.ReadDir(filepath.Join(w.dir, "mounts"))
			w.must(err)
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if !slices.Equal(names, want) {
				t.Errorf("%s: left are %v, want %v", what, names, want)
			}
		}
		later(time.Minute)
		left("while the engine does not answer", "old", "serving")
		engine.err = nil
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		left("when it does", "serving")
	})
}

// A pass goes on with the revision that it began with, and needs its files.
func TestSnapshotOfAPassUnderWayStays(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		shop := appFiles{objects: service("web", 1, `"image":"v1"`)}
		w.repo.merge(map[string]appFiles{"shop": shop})
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "pin" { // a long pull
				time.Sleep(30 * time.Minute) //nolint:forbidigo // the bubble's clock
			}
			return nil
		})
		defer w.background()()
		later(time.Minute)
		w.repo.merge(map[string]appFiles{"shop": shop, "blog": {objects: service("blog", 1, `"image":"v1"`)}})
		later(time.Minute)
		if kept := w.repo.collected(); !slices.Contains(kept, commitName(0)) || !slices.Contains(kept, commitName(1)) {
			t.Errorf("kept are %v, want both revisions", kept)
		}
		later(time.Hour)
		w.repo.shop(healthy("v3"))
		later(time.Minute)
		if kept := w.repo.collected(); slices.Contains(kept, commitName(0)) {
			t.Errorf("kept are %v long after the pass", kept)
		}
		w.target.OnCall(nil)
	})
}
