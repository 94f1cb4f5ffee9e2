package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// charts is a cache of charts in memory.
type charts struct {
	mu      sync.Mutex
	err     error
	fetched int
	kept    []config.Chart
	forgot  int
}

func (c *charts) Fetch(_ context.Context, want config.Chart) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fetched++
	return "/charts/" + want.Name + ".tgz", c.err
}

func (c *charts) Collect(keep ...config.Chart) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = keep
	return nil
}

func (c *charts) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot++
}

func charted(version string) map[string]appFiles {
	app := config.App{Kubernetes: config.KubernetesApp{Helm: config.Helm{Chart: config.Chart{Repo: "oci://registry.example.com/charts", Name: "shop", Version: version}}}}
	return map[string]appFiles{"shop": {objects: service("web", 1, `"v":"`+version+`"`), config: app}}
}

// A chart is fetched before the app that names it is rendered, and not again while
// nothing has changed.
func TestChartsAreFetchedForRendering(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		store := &charts{}
		w.restart(func(o *reconcile.Options) { o.Charts = store })
		w.repo.merge(charted("1.0.0"))
		w.ends(reconcile.Applied)
		if w.repo.chart != "/charts/shop.tgz" {
			t.Errorf("rendered with chart %q", w.repo.chart)
		}
		w.ends(reconcile.Unchanged)
		if store.fetched != 1 {
			t.Errorf("fetched %d times, want once", store.fetched)
		}
	})
}

// A chart that cannot be had is no reason to touch what runs.
func TestChartsThatCannotBeHad(t *testing.T) {
	for class, want := range map[fault.Class]reconcile.Outcome{
		fault.Unreachable: reconcile.Unreachable, fault.Rejected: reconcile.Rejected, fault.Blocked: reconcile.Blocked,
	} {
		within(t, func(t *testing.T, w *world) {
			store := &charts{}
			w.restart(func(o *reconcile.Options) { o.Charts = store })
			w.repo.merge(charted("1.0.0"))
			w.ends(reconcile.Applied)
			_, rendered := w.repo.asked()
			store.err = fault.As(class, errors.New("no chart"))
			w.repo.merge(charted("2.0.0"))
			w.ends(want)
			if _, again := w.repo.asked(); again != rendered {
				t.Errorf("%v: rendered without its chart", class)
			}
			if store.forgot == 0 {
				t.Errorf("%v: somebody asked, and what was refused is not asked for anew", class)
			}
			store.err = nil
			w.ends(reconcile.Applied)
		})
	}
}

func TestChartsNeedSomebodyToFetchThem(t *testing.T) {
	within(t, func(_ *testing.T, w *world) {
		w.repo.merge(charted("1.0.0"))
		w.ends(reconcile.Blocked)
	})
}

// The charts that the revision names are kept.
func TestChartsAreCollected(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		store := &charts{}
		w.restart(func(o *reconcile.Options) { o.Charts = store })
		apps := charted("1.0.0")
		apps["blog"] = appFiles{objects: service("blog", 1, "")}
		w.repo.merge(apps)
		defer w.background()()
		later(time.Minute)
		store.mu.Lock()
		defer store.mu.Unlock()
		if want := []config.Chart{apps["shop"].config.Kubernetes.Helm.Chart}; !slices.Equal(store.kept, want) {
			t.Errorf("kept %v, want %v", store.kept, want)
		}
	})
}
