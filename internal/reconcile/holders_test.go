package reconcile_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// common is a cluster whose objects are labelled with the app that put them last:
// all apps see the same ones.
type common struct {
	*world
	mu  sync.Mutex
	app map[string]string // by the object's UID
}

func (w *world) onCommonCluster() *common {
	c := &common{world: w, app: map[string]string{}}
	c.again()
	return c
}

func (c *common) Target(app string) apply.Target { return &sharer{c, app} }

func (c *common) label(uid, app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.app[uid] = app
}

func (c *common) labelOf(uid string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.app[uid]
}

// sharer is one app's place on it.
type sharer struct {
	*common
	name string
}

func (s *sharer) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	pairs, err := s.target.Observe(ctx, want, owned)
	var out []resource.Pair
	for _, p := range pairs {
		for i := range p.Live {
			live := &p.Live[i]
			holder := s.labelOf(live.Ref.ID)
			adopted := false
			for _, ref := range owned.Adopted {
				adopted = adopted || ref.ID == live.Ref.ID
			}
			switch {
			case holder == s.name:
			case p.Want == nil:
				p.Live = nil
			case adopted: // its label differs
				live.Spec = json.RawMessage(strings.Replace(string(live.Spec), "{", `{"limits":"label",`, 1))
			default:
				live.Foreign, live.Holder, live.Maker = true, holder, "app "+holder
			}
			if p.Live == nil {
				break
			}
		}
		if p.Want != nil || p.Live != nil {
			out = append(out, p)
		}
	}
	return out, err
}

func (s *sharer) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	ref, err := s.target.Put(ctx, o)
	if err == nil {
		s.label(ref.ID, s.name)
	}
	return ref, err
}

func (s *sharer) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return s.target.Remove(ctx, key, ref)
}

func (s *sharer) Health(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	return s.target.Health(ctx, key, ref)
}

func (c *common) sync(app string) reconcile.Result {
	c.t.Helper()
	res, err := c.agent.Sync(c.t.Context(), reconcile.SyncRequest{Apps: []string{app}}, nil)
	c.must(err)
	return res[0]
}

// holds fails the test unless the object is the one with the UID, and the app's.
func (c *common) holds(uid, app string) {
	c.t.Helper()
	live := c.target.Instances(webKey())
	if len(live) != 1 || live[0].Ref.ID != uid || c.labelOf(uid) != app {
		c.t.Errorf("the object is %+v of %q, want %s of %s", live, c.labelOf(uid), uid, app)
	}
}

func rest() resource.Object {
	return resource.Object{Key: resource.Key{Kind: "ConfigMap", Namespace: "shop", Name: "rest"}, Group: "0.1 config", Spec: []byte(`{}`)}
}

// An object that moves from one app to another goes over as it is, whichever of
// them passes first.
func TestAnObjectGoesOverToTheAppThatWantsItNow(t *testing.T) {
	for name, order := range map[string][]string{"who had it first": {"shop", "blog"}, "who gets it first": {"blog", "shop"}} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				c := w.onCommonCluster()
				w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{deployment(`"image":"v1"`), rest()}}})
				c.sync("shop")
				uid := w.target.Instances(webKey())[0].Ref.ID
				w.repo.merge(map[string]appFiles{"shop": {objects: []resource.Object{rest()}}, "blog": {objects: []resource.Object{deployment(`"image":"v1"`)}}})
				for _, app := range append(order, order...) {
					if res := c.sync(app); res.Outcome != reconcile.Applied && res.Outcome != reconcile.Unchanged {
						t.Errorf("%s ended %s: %s", app, res.Outcome, res.Reason)
					}
				}
				c.holds(uid, "blog")
			})
		})
	}
}

func TestARenamedAppTakesItsObjectsAlong(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		c := w.onCommonCluster()
		w.repo.shop(deployment(`"image":"v1"`))
		c.sync("shop")
		uid := w.target.Instances(webKey())[0].Ref.ID
		w.repo.merge(map[string]appFiles{"store": {objects: []resource.Object{deployment(`"image":"v1"`)}}})
		for range 2 {
			for _, app := range []string{"shop", "store"} {
				if res := c.sync(app); res.Outcome != reconcile.Applied && res.Outcome != reconcile.Unchanged {
					t.Errorf("%s ended %s: %s", app, res.Outcome, res.Reason)
				}
			}
		}
		c.holds(uid, "store")
	})
}

func TestOfTwoAppsThatWantOneObjectTheSecondIsBlocked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		c := w.onCommonCluster()
		both := map[string]appFiles{"shop": {objects: []resource.Object{deployment(`"image":"v1"`)}}, "blog": {objects: []resource.Object{deployment(`"image":"v2"`)}}}
		w.repo.merge(both)
		results, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil)
		w.must(err)
		blocked := 0
		for _, res := range results {
			if res.Outcome == reconcile.Blocked {
				blocked++
				for _, want := range []string{"Deployment/shop/web", "app shop", "app blog"} {
					if text := "app " + res.App + " " + res.Reason; !strings.Contains(text, want) {
						t.Errorf("%q does not name %s", text, want)
					}
				}
			}
		}
		if blocked != 1 {
			t.Fatalf("%d of them are blocked, want one: %+v", blocked, results)
		}
		uid := w.target.Instances(webKey())[0].Ref.ID
		holder := c.labelOf(uid)
		c.again()
		if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); err != nil {
			t.Error(err)
		}
		c.holds(uid, holder)
		delete(both, holder)
		w.repo.merge(both)
		for range 2 {
			if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil); err != nil {
				t.Error(err)
			}
		}
		if live := w.target.Instances(webKey()); len(live) != 1 || c.labelOf(live[0].Ref.ID) == holder {
			t.Errorf("when the first has gone it is %+v of %s", live, c.labelOf(live[0].Ref.ID))
		}
	})
}

// again starts another agent on the same cluster.
func (c *common) again() {
	c.restart(func(o *reconcile.Options) { o.Host.Kubernetes, o.Engine = &config.Kubernetes{}, c })
}
