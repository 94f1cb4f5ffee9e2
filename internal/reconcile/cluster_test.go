package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
)

// deployment is a Deployment called web; spec is a JSON object without its braces.
func deployment(spec string) resource.Object {
	return resource.Object{Key: webKey(), Group: "0.2 workloads", Spec: []byte("{" + spec + "}")}
}

func webKey() resource.Key { return resource.Key{Kind: "Deployment", Namespace: "shop", Name: "web"} }

// cluster is the world as an agent sees it that keeps a cluster.
type cluster struct {
	*world
	maker string
	asked []render.DiscoverRequest
}

// onCluster lets the agent keep a cluster; change is what else is other.
func (w *world) onCluster(change ...func(*reconcile.Options)) *cluster {
	c := &cluster{world: w, maker: "kubectl"}
	w.wrap = func(m *applytest.Memory) apply.Target { return &madeBy{m, c} }
	on := func(o *reconcile.Options) { o.Host.Kubernetes, o.Engine, o.Renderer = &config.Kubernetes{}, c, c }
	w.restart(append([]func(*reconcile.Options){on}, change...)...)
	return c
}

func (c *cluster) Discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	c.asked = append(c.asked, req)
	return c.repo.Discover(ctx, req)
}

func (c *cluster) Render(ctx context.Context, req render.Request) (render.Answer, error) {
	if !req.Kubernetes {
		return render.Answer{}, errors.New("the renderer was not told of the cluster")
	}
	return c.repo.Render(ctx, req)
}

// Suspend knows how to stop Flux.
func (c *cluster) Suspend(maker string) string {
	if strings.HasPrefix(maker, "Flux ") {
		return "flux suspend"
	}
	return ""
}

// madeBy is a target that knows who made what is not ours, and stops nothing.
type madeBy struct {
	memory  *applytest.Memory
	cluster *cluster
}

func (m *madeBy) Observe(ctx context.Context, want []resource.Object, owned apply.Owned) ([]resource.Pair, error) {
	pairs, err := m.memory.Observe(ctx, want, owned)
	for _, p := range pairs {
		for i := range p.Live {
			if p.Live[i].Foreign {
				p.Live[i].Maker = m.cluster.maker
			}
		}
	}
	return pairs, err
}

func (m *madeBy) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	return m.memory.Put(ctx, o)
}

func (m *madeBy) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	return m.memory.Remove(ctx, key, ref)
}

func (m *madeBy) Health(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	return m.memory.Health(ctx, key, ref)
}

func (m *madeBy) Notes() json.RawMessage { return m.memory.Notes() }

func (m *madeBy) Tell(ctx context.Context, news apply.News) error { return m.memory.Tell(ctx, news) }

// as is the shop, applied in the name of an account.
func as(account, namespace string, objects ...resource.Object) map[string]appFiles {
	app := appFiles{objects: objects}
	app.config.Kubernetes = config.KubernetesApp{ServiceAccount: account, Namespace: namespace}
	return map[string]appFiles{"shop": app}
}

func TestAppsAreAskedForAsThoseOfACluster(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		c := w.onCluster(func(o *reconcile.Options) { o.Host.Host.Vars = map[string]string{"TAG": "v1"} })
		w.repo.shop(deployment(`"image":"v1"`))
		w.ends(reconcile.Applied)
		if req := c.asked[0]; !req.Kubernetes || req.Values["TAG"] != "v1" {
			t.Errorf("asked %+v", req)
		}
		st, err := w.agent.Status(t.Context(), nil)
		w.must(err)
		if st.Target != "cluster" || st.Apps[0].Health != reconcile.Healthy {
			t.Errorf("the target is %q, the health %s", st.Target, st.Apps[0].Health)
		}
	})
}

func TestAnAppIsLookedAtAndAppliedInTheNameOfItsAccount(t *testing.T) {
	for _, c := range []struct{ usual, account, namespace, want string }{
		{"", "", "shop", ""}, {"", "deployer", "", "default/deployer"}, {"", "deployer", "shop", "shop/deployer"},
		{"", "ops/deployer", "shop", "ops/deployer"}, {"", "deployer", "${NS}-${TIER:-prod}", "shop-prod/deployer"},
		{"apps", "", "shop", "shop/apps"}, {"ops/apps", "", "shop", "ops/apps"}, {"ops/apps", "deployer", "shop", "shop/deployer"},
	} {
		within(t, func(t *testing.T, w *world) {
			w.onCluster(func(o *reconcile.Options) {
				o.Host.Host.Vars = map[string]string{"NS": "shop"}
				o.Host.Kubernetes = &config.Kubernetes{ServiceAccount: c.usual}
			})
			w.repo.merge(as(c.account, c.namespace, deployment(`"image":"v1"`)))
			w.ends(reconcile.Applied)
			if got := w.target.Owned().As; got != c.want {
				t.Errorf("%s (usual %s) in %q: %q, want %q", c.account, c.usual, c.namespace, got, c.want)
			}
		})
	}
}

// So it is where somebody asks what another revision would do.
func TestAPlanOfAnotherRevisionIsMadeInTheNameOfTheAccount(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster(func(o *reconcile.Options) { o.Host.Kubernetes = &config.Kubernetes{ServiceAccount: "apps"} })
		w.repo.merge(as("", "shop", deployment(`"image":"v1"`)))
		_, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{Ref: commitName(0)})
		w.must(err)
		if got := w.target.Owned().As; got != "shop/apps" {
			t.Errorf("it was looked at as %q", got)
		}
	})
}

// An app must not gain the agent's own rights by losing its settings.
func TestAnAppWithoutSettingsKeepsItsAccount(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		w.repo.merge(as("deployer", "shop", deployment(`"image":"v1"`)))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{})
		w.onCluster()
		w.ends(reconcile.Blocked) // it asks for consent to remove the app
		if got := w.target.Owned().As; got != "shop/deployer" {
			t.Errorf("it was looked at as %q", got)
		}
	})
}

func TestNotesOfTheTargetAreKeptWithWhatIsWrittenAnyway(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		kept := func(want string) {
			t.Helper()
			if got := string(w.record().Target); got != want {
				t.Errorf("the record keeps %s, want %s", got, want)
			}
		}
		w.target.Remember(json.RawMessage(`{"a":1}`))
		w.repo.shop(deployment(`"image":"v1"`))
		w.ends(reconcile.Applied)
		kept(`{"a":1}`)
		w.ends(reconcile.Unchanged) // that it is so now is written

		w.target.Remember(json.RawMessage(`{"a":2}`))
		w.ends(reconcile.Unchanged) // it touched nothing
		kept(`{"a":1}`)
		w.target.Vanish(webKey())
		w.ends(reconcile.Applied)
		kept(`{"a":2}`)

		w.onCluster()
		w.ends(reconcile.Unchanged)
		if got := string(w.target.Owned().Notes); got != `{"a":2}` {
			t.Errorf("another process is told %s", got)
		}
		w.act("release", reconcile.ActRequest{Confirm: true})
		kept("")
	})
}

// What was applied is ours, whatever became of the rest.
func TestNotesOfAFailedPassAreKept(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		w.repo.shop(deployment(`"image":"v1"`), resource.Object{Key: resource.Key{Kind: "Job", Namespace: "shop", Name: "x"}, Group: "0.3 rest", Spec: []byte(`{}`)})
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "put" {
				w.target.Remember(json.RawMessage(`{"put":true}`))
			}
			if c.Verb == "put" && c.Key.Kind == "Job" {
				return fault.As(fault.Rejected, errors.New("no quota"))
			}
			return nil
		})
		w.ends(reconcile.Halted)
		if got := string(w.record().Target); got != `{"put":true}` {
			t.Errorf("the record keeps %s", got)
		}
	})
}

func TestWhatHappenedIsToldOnTheObjects(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		var reasons []string
		pass := func(outcome reconcile.Outcome) {
			t.Helper()
			w.ends(outcome)
			for _, n := range w.target.News()[len(reasons):] {
				reasons = append(reasons, n.Reason)
				if n.Key != webKey() || n.Ref.ID == "" || n.Text == "" {
					t.Errorf("news %+v", n)
				}
			}
		}
		w.repo.shop(deployment(`"image":"v1"`))
		pass(reconcile.Applied)
		pass(reconcile.Unchanged)
		w.repo.shop(deployment(`"image":"v2","health":"never"`))
		pass(reconcile.RolledBack)
		pass(reconcile.Held)
		w.target.Vanish(webKey())
		pass(reconcile.Held)
		if got := strings.Join(reasons, " "); got != "Applied Failed RolledBack DriftRepaired" {
			t.Errorf("told %s", got)
		}
	})
}

func TestNewsThatCannotBeToldFailNothing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		w.repo.shop(deployment(`"image":"v1"`))
		w.target.OnCall(func(c applytest.Call) error {
			if c.Verb == "tell" {
				return fault.As(fault.Blocked, errors.New("events are forbidden"))
			}
			return nil
		})
		if notes := strings.Join(w.ends(reconcile.Applied).Notes, "\n"); !strings.Contains(notes, "events are forbidden") {
			t.Errorf("the notes are %q", notes)
		}
	})
}

func TestAdoptionOnAClusterTakesWhatStandsInWantedPlaces(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		c := w.onCluster()
		c.maker = "Flux Kustomization flux-system/apps"
		w.repo.shop(deployment(`"image":"v1"`))
		ref, err := w.target.Plant(deployment(`"image":"v1","limits":"none"`))
		w.must(err)
		if res := w.ends(reconcile.Blocked); !strings.Contains(res.Reason, c.maker) || !strings.Contains(res.Hint, "syncd adopt shop") {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
		text := w.act("adopt", reconcile.ActRequest{}).Text
		for _, want := range []string{c.maker, "first, flux suspend", "mended in place: 1; made anew: 0"} {
			if !strings.Contains(text, want) {
				t.Errorf("adopt says beforehand %q, want %q", text, want)
			}
		}
		if got := w.act("adopt", reconcile.ActRequest{Confirm: true}); got.Text != "adopted 1 object(s) of shop" || got.Result.Outcome != reconcile.Applied {
			t.Errorf("adopted: %q, %+v", got.Text, got.Result)
		}
		if live := w.target.Instances(webKey()); len(live) != 1 || live[0].Ref.ID != ref.ID {
			t.Errorf("the place holds %+v, want what was there", live)
		}
		w.refuses("adopt", reconcile.ActRequest{}, "nothing that app shop wants", "syncd plan shop")
		if text := w.act("release", reconcile.ActRequest{}).Text; !strings.Contains(text, "nothing is removed") || strings.Contains(text, "Compose") {
			t.Errorf("release says beforehand %q", text)
		}
		w.act("release", reconcile.ActRequest{Confirm: true})
		w.act("adopt", reconcile.ActRequest{Confirm: true})
		w.ends(reconcile.Unchanged)
	})
}

func TestAClusterRestartsByItself(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		app := careful("restart", 3)["shop"]
		app.objects = []resource.Object{deployment(`"image":"v1"`)}
		w.repo.merge(map[string]appFiles{"shop": app})
		w.ends(reconcile.Applied)
		w.target.Break(webKey(), "its disk is full")
		res := w.ends(reconcile.Degraded)
		if !strings.Contains(res.Reason, "health.onUnhealthy: restart does nothing here") || res.Hint != "look at its log: kubectl -n shop logs deploy/web" {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
	})
}

func TestWordsOfAClusterAreItsOwn(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		w.repo.shop(deployment(`"image":"v1"`))
		w.ends(reconcile.Applied)
		w.refuses("gate-enable", reconcile.ActRequest{}, "a cluster has no gates", "")
		w.target.OnCall(func(applytest.Call) error { return fault.As(fault.Unreachable, errors.New("connection refused")) })
		e, err := w.agent.Explain(t.Context(), "shop")
		w.must(err)
		if text := strings.Join(append(e.Lines, e.Type...), "\n"); !strings.Contains(text, "The cluster does not answer") || !strings.Contains(text, "kubectl cluster-info") {
			t.Errorf("it explains:\n%s", text)
		}
		w.target.OnCall(nil)
	})
}

func TestTwoAppsWithOneObjectAreAConflict(t *testing.T) {
	web, ours := deployment(`"image":"v1"`), one("web", `"image":"v1"`)
	got := reconcile.Contest([]resource.Object{web, ours}, []resource.Object{ours, web})
	if len(got) != 1 || got[0].String() != "Deployment/shop/web" {
		t.Errorf("got %v", got)
	}
}
