package reconcile_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/resource"
)

// However few apps may change at once, all that have to be rendered are rendered
// together.
func TestAppsAreRenderedBeforeTheyWaitForTheirTurn(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		const many = 40
		apps := map[string]appFiles{}
		for i := range many {
			name := fmt.Sprintf("app-%02d", i)
			apps[name] = appFiles{objects: []resource.Object{one(name, `"image":"v1"`)}}
		}
		w.repo.merge(apps)
		var waiting, most atomic.Int64
		w.repo.onRender(func() {
			most.Store(max(most.Load(), waiting.Add(1)))
			<-time.After(time.Second)
			waiting.Add(-1)
		})
		stop := w.background()
		defer stop()
		later(time.Minute)
		if got := most.Load(); got != many {
			t.Errorf("at most %d apps were being rendered at a time, want all %d", got, many)
		}
		if _, rendered := w.repo.asked(); rendered != many {
			t.Errorf("%d renderings of %d apps", rendered, many)
		}
	})
}
