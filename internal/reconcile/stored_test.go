package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// swept is a target whose images somebody has removed. A pull brings one back, by
// another ID, as another image store gives it.
type swept struct {
	*applytest.Memory
	gone *gone
}

type gone struct {
	mu   sync.Mutex
	pins []string
	lost bool // for good: nothing can be pulled
}

func (g *gone) sweep(images ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, image := range images {
		g.pins = append(g.pins, `"sha256:`+image+`"`)
	}
}

func (g *gone) has(o resource.Object) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, pin := range g.pins {
		if strings.Contains(string(o.Spec), pin) {
			return pin
		}
	}
	return ""
}

func (s swept) Pin(ctx context.Context, objects []resource.Object, pull bool) ([]resource.Object, []string, error) {
	out := slices.Clone(objects)
	for i, o := range out {
		pin := s.gone.has(o)
		switch {
		case pin == "" || !pull:
		case s.gone.lost:
			return nil, nil, fault.As(fault.Rejected, errors.New("no digest to pull it by: "+pin))
		default:
			out[i].Spec = []byte(strings.Replace(string(o.Spec), pin, strings.TrimSuffix(pin, `"`)+` again"`, 1))
		}
	}
	return s.Memory.Pin(ctx, out, pull)
}

func (s swept) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	if pin := s.gone.has(o); pin != "" {
		return resource.Ref{}, fault.As(fault.Rejected, errors.New("no such image: "+pin))
	}
	return s.Memory.Put(ctx, o)
}

// sweeping runs a test on such a target.
func sweeping(t *testing.T, test func(t *testing.T, w *world, g *gone)) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		g := &gone{}
		w.wrap = func(m *applytest.Memory) apply.Target { return swept{m, g} }
		w.restart()
		test(t, w, g)
	})
}

// A nightly clean-up takes a stopped container, and its image with it: both are
// brought back.
func TestGoodSetIsRepairedThoughItsImageIsGone(t *testing.T) {
	sweeping(t, func(t *testing.T, w *world, g *gone) {
		w.repo.shop(healthy("v1"), one("db", `"image":"d1"`))
		w.ends(reconcile.Applied)
		db := w.target.Instances(key("db"))[0].Ref
		w.target.Vanish(key("web"))
		g.sweep("v1", "d1") // the engine keeps the file system of what runs
		w.ends(reconcile.Applied)
		w.runs("web", "v1")
		w.ends(reconcile.Unchanged)
		if now := w.target.Instances(key("db")); len(now) != 1 || now[0].Ref.ID != db.ID {
			t.Errorf("slot db holds %v, want it left alone", now)
		}
	})
}

func TestRollbackFetchesTheImageThatIsGone(t *testing.T) {
	sweeping(t, func(t *testing.T, w *world, g *gone) {
		for _, image := range []string{"v1", "v2"} {
			w.repo.shop(alone(image))
			w.ends(reconcile.Applied)
		}
		g.sweep("v1")
		if res := w.act("rollback", reconcile.ActRequest{}).Result; res.Outcome != reconcile.RolledBack {
			t.Fatalf("the rollback ended %s (%s)", res.Outcome, res.Reason)
		}
		w.runs("db", "v1")
		w.ends(reconcile.Held)
		g.sweep("v1 again")
		w.repo.shop(one("db", `"image":"v3","health":"never"`))
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" {
				w.target.OnCall(nil)
				w.target.Vanish(key("db"))
			}
			return nil
		})
		w.ends(reconcile.RolledBack)
		w.runs("db", "v1")
		w.ends(reconcile.Held)
	})
}

// A job of the good set that is done needs no image any more: a way back does not
// fail for it.
func TestWayBackNeedsNoImageOfAJobThatIsDone(t *testing.T) {
	sweeping(t, func(t *testing.T, w *world, g *gone) {
		w.repo.shop(release(healthy("v1"), migration("m1", resource.KeepOnRollback))...)
		w.ends(reconcile.Applied)
		g.sweep("m1")
		g.lost = true
		w.repo.shop(release(never("v2"), migration("m1", resource.KeepOnRollback))...)
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" {
				w.target.OnCall(nil)
				w.target.Vanish(key("web"))
			}
			return nil
		})
		w.ends(reconcile.RolledBack)
		w.runs("web", "v1")
	})
}

// extras are services besides web.
func extras(n int) []resource.Object {
	out := []resource.Object{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}[:n] {
		out = append(out, one(name, `"image":"v1"`))
	}
	return out
}

// What waits for a person's consent waits also where an unrelated change fails.
func TestAutomaticRollbackRemovesOnlyWhatTheAttemptMade(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(append(extras(10), healthy("v1"))...)
		w.ends(reconcile.Applied)
		w.repo.shop(healthy("v1")) // by mistake
		w.ends(reconcile.Blocked)
		w.repo.shop(never("v2"), one("fresh", `"image":"v2"`))
		w.ends(reconcile.RolledBack)
		w.runs("a", "v1")
		if left := w.target.Instances(key("fresh")); len(left) != 0 {
			t.Errorf("slot fresh holds %v, want nothing: the attempt made it", left)
		}
	})
}

// A rollback that a person asked for prunes as a change does: not where the app
// says no, and not beyond the budget without consent.
func TestManualRollbackObeysPruneAndConsent(t *testing.T) {
	no := false
	for name, c := range map[string]struct {
		prune *bool
		more  int
		stays bool
	}{"prune": {nil, 1, false}, "prune is false": {&no, 1, true}, "over the budget": {nil, 10, true}} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				app := config.App{Sync: config.Sync{Prune: c.prune}}
				w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{healthy("v1")}, config: app}})
				w.ends(reconcile.Applied)
				w.repo.merge(map[string]appFiles{"shop": {objects: append(extras(c.more), healthy("v2")), config: app}})
				w.ends(reconcile.Applied)
				if res := w.act("rollback", reconcile.ActRequest{}).Result; res.Outcome != reconcile.RolledBack {
					t.Fatalf("the rollback ended %s (%s)", res.Outcome, res.Reason)
				}
				w.runs("web", "v1")
				if stays := len(w.target.Instances(key("a"))) == 1; stays != c.stays {
					t.Errorf("the newer service stays: %t, want %t\n%s", stays, c.stays, w.target.Log())
				}
				if asked := w.status().Plan != ""; asked != (c.more == 10) {
					t.Errorf("consent is asked for: %t", asked)
				}
			})
		})
	}
}
