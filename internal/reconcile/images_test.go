package reconcile_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// cellar is an engine that keeps images: it tells which of them are gone.
type cellar struct {
	*world
	mu   sync.Mutex
	gone []string
}

func (c *cellar) PruneImages(_ context.Context, keep, recorded []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, pin := range recorded {
		image := strings.TrimPrefix(pin, "sha256:")
		if !slices.Contains(keep, pin) && !slices.Contains(c.gone, image) {
			c.gone = append(c.gone, image)
		}
	}
	return nil
}

// pulled is an app whose only service has an image that came from a registry.
func pulled(service, image, more string, keep int) appFiles {
	a := appFiles{objects: []resource.Object{one(service, `"image":"`+image+`","digest":"shop@sha256:`+image+`"`+more)}}
	a.config.Rollback = config.Rollback{Keep: &keep}
	return a
}

// stocked runs a test on such an engine.
func stocked(t *testing.T, test func(t *testing.T, w *world, c *cellar)) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		c := &cellar{world: w}
		w.restart(func(o *reconcile.Options) { o.Engine = c })
		test(t, w, c)
	})
}

// went fails the test unless these images are gone by now, in this order.
func (c *cellar) went(images ...string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.gone, images) {
		c.t.Errorf("gone are %v, want %v", c.gone, images)
	}
}

func TestImagesGoWhenNoKeptRevisionNeedsThem(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		for _, image := range []string{"v1", "v2", "v3", "v4"} {
			w.repo.merge(map[string]appFiles{"shop": pulled("web", image, "", 1)})
			w.ends(reconcile.Applied)
		}
		c.went("v1", "v2")
	})
}

// What was built or loaded here cannot be pulled again: it is not syncd's to
// remove.
func TestImagesThatNoRegistryGaveStay(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		for _, image := range []string{"v1", "v2", "v3"} {
			app := pulled("web", image, "", 0)
			app.objects = []resource.Object{one("web", `"image":"`+image+`"`)}
			w.repo.merge(map[string]appFiles{"shop": app})
			w.ends(reconcile.Applied)
		}
		c.went()
	})
}

// An image that was pulled for a revision that failed is no way back to anything.
func TestImagesOfFailedRevisionsGo(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		w.repo.merge(map[string]appFiles{"shop": pulled("web", "v1", "", 2)})
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{"shop": pulled("web", "sick", `,"health":"never"`, 2)})
		w.ends(reconcile.RolledBack)
		w.repo.merge(map[string]appFiles{"shop": pulled("web", "wrong", `,"invalid":"no such device"`, 2)})
		w.ends(reconcile.Rejected)
		w.restart(func(o *reconcile.Options) { o.Engine = c })
		c.went()
		w.repo.merge(map[string]appFiles{"shop": pulled("web", "v2", "", 2)})
		w.ends(reconcile.Applied)
		c.went("sick", "wrong")
	})
}

// An image that another app may have to go back to stays, though nothing runs it.
func TestImagesThatAnotherAppKeepsStay(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		for _, image := range []string{"v1", "v2", "v3"} {
			w.repo.merge(map[string]appFiles{"blog": pulled("web", image, "", 1), "shop": pulled("web", image, "", 0)})
			for _, app := range []string{"blog", "shop"} {
				res, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{Apps: []string{app}}, nil)
				w.must(err)
				if res[0].Outcome != reconcile.Applied {
					t.Fatalf("app %s ended %s (%s)", app, res[0].Outcome, res[0].Reason)
				}
			}
		}
		c.went("v1")
	})
}

func TestImagesOfARemovedAppGo(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		for _, image := range []string{"v1", "v2"} {
			w.repo.merge(map[string]appFiles{"shop": pulled("web", image, "", 2)})
			w.ends(reconcile.Applied)
		}
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		c.went()
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		c.went("v1", "v2")
	})
}

// An image that another app has pinned and not put yet stays, too.
func TestImagesThatAnotherAppIsAboutToPutStay(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		w.repo.merge(map[string]appFiles{"blog": pulled("web", "v1", "", 0)})
		w.synced(reconcile.Applied)
		w.target.OnCall(func(call applytest.Call) error {
			if call.Verb == "validate" { // it takes its time
				w.target.OnCall(nil)
				time.Sleep(time.Minute) //nolint:forbidigo // the bubble's clock
			}
			return nil
		})
		w.repo.merge(map[string]appFiles{"blog": pulled("web", "v2", "", 0), "shop": pulled("web", "v1", "", 0)})
		w.synced(reconcile.Applied, reconcile.Applied)
		c.went()
	})
}

// The images of a change are pulled one after another, which takes its time: those that
// are here already are not removed meanwhile, for another app.
func TestImagesAreHeldAsSoonAsEachIsHere(t *testing.T) {
	stocked(t, func(t *testing.T, w *world, c *cellar) {
		blog := func(image string) appFiles { return pulled("blog", image, "", 0) }
		shop := pulled("web", "s1", "", 0)
		shop.objects = append(shop.objects, one("db", `"image":"s2","digest":"shop@sha256:s2"`))
		w.repo.merge(map[string]appFiles{"blog": blog("s1")})
		defer w.background()()
		later(time.Minute)
		pulls := 0
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "pin" {
				if pulls++; pulls == 2 {
					time.Sleep(30 * time.Minute) //nolint:forbidigo // the bubble's clock
				}
			}
			return nil
		})
		w.repo.merge(map[string]appFiles{"blog": blog("s1"), "shop": shop})
		later(time.Minute)
		w.repo.merge(map[string]appFiles{"blog": blog("b2"), "shop": shop})
		later(5 * time.Minute)
		c.went()
		later(time.Hour)
		w.target.OnCall(nil)
	})
}
