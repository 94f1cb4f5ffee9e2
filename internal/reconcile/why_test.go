package reconcile_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// reasons are what an agent has explained.
type reasons struct {
	mu  sync.Mutex
	all []string
}

func (r *reasons) hear(app, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, strings.TrimPrefix(app+": "+text, ": "))
}

// gave fails the test unless each was given since the last time.
func (r *reasons) gave(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range want {
		if !slices.ContainsFunc(r.all, func(got string) bool { return strings.HasPrefix(got, w) }) {
			t.Errorf("nobody said %q:\n%s", w, strings.Join(r.all, "\n"))
		}
	}
	r.all = nil
}

func TestEveryDecisionIsExplained(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		why, off := &reasons{}, false
		w.restart(func(o *reconcile.Options) { o.Why = why.hear })
		w.repo.shop(healthy("v1"))
		defer w.background()()
		later(time.Minute)
		why.gave(t, "the repository was looked at: ", "shop: passed over: somebody woke it", "shop: rendered: nothing known was made",
			"shop: it asks for something that is not good yet", "shop: the plan has ")
		later(10 * time.Minute)
		why.gave(t, "the repository was looked at: it is at ", "shop: passed over: nobody woke it", "shop: not rendered",
			"shop: it asks for what is good already", "shop: looked at 1 objects: 0 are not")
		app := appFiles{objects: []resource.Object{healthy("v2")}}
		app.config.Sync.Auto = &off
		w.repo.merge(map[string]appFiles{"shop": app})
		later(10 * time.Minute)
		why.gave(t, "shop: what it asks for stays out, and what is good is looked after: pending ")
	})
}
