package reconcile_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// two are an app called shop and one called blog, each with one service.
func two(shop, blog string) map[string]appFiles {
	return map[string]appFiles{
		"shop": {objects: []resource.Object{healthy(shop)}},
		"blog": {objects: []resource.Object{one("blog", `"image":"`+blog+`"`)}},
	}
}

func dependsOn(apps map[string]appFiles, app string, others ...string) {
	a := apps[app]
	a.config.DependsOn = others
	apps[app] = a
}

// all makes one pass over all apps, and says how each ended.
func (w *world) all() string {
	w.t.Helper()
	results, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{}, nil)
	w.must(err)
	ended := map[string]string{}
	for _, res := range results {
		ended[res.App] = string(res.Outcome)
	}
	var out []string
	for _, app := range slices.Sorted(maps.Keys(ended)) {
		out = append(out, app+" "+ended[app])
	}
	return strings.Join(out, ", ")
}

// One pass is enough for apps that need each other: the needed ones come first.
func TestOnePassGoesByTheOrderOfNeed(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := two("v1", "v1")
		apps["auth"] = appFiles{objects: []resource.Object{one("auth", `"image":"v1"`)}}
		dependsOn(apps, "auth", "blog")
		dependsOn(apps, "blog", "shop")
		w.repo.merge(apps)
		if got := w.all(); got != "auth applied, blog applied, shop applied" {
			t.Errorf("the pass ended: %s", got)
		}
	})
}

// A circle is nobody's turn: each says for whom it waits, and no pass hangs.
func TestAppsThatNeedEachOtherInACircleAreBlocked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := two("v1", "v1")
		dependsOn(apps, "blog", "shop")
		dependsOn(apps, "shop", "blog")
		apps["auth"] = appFiles{objects: []resource.Object{one("auth", `"image":"v1"`)}}
		w.repo.merge(apps)
		if got := w.all(); got != "auth applied, blog blocked, shop blocked" {
			t.Errorf("the pass ended: %s", got)
		}
		if s := w.status(); !strings.Contains(s.Reason, "blog") {
			t.Errorf("the reason is %q, want the app that it waits for", s.Reason)
		}
	})
}

func TestAnAppThatNeedsNobodyKnownIsBlocked(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := two("v1", "v1")
		dependsOn(apps, "shop", "bolg")
		w.repo.merge(apps)
		res := w.ends(reconcile.Blocked)
		if !strings.Contains(res.Reason, "bolg") || !strings.Contains(res.Hint, "blog") {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
	})
}

// An app that no longer selects this host is not gone: what runs goes on until a
// person says otherwise, and it is told apart from a directory that was deleted.
func TestSelectorThatNoLongerMatchesAsksFirst(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		berlin := func(o *reconcile.Options) { o.Host.Host.Labels = map[string]string{"site": "berlin"} }
		w.restart(berlin)
		at := func(site string) map[string]appFiles {
			app := appFiles{objects: []resource.Object{healthy("v1")}}
			app.config.Hosts = config.Selector{MatchLabels: map[string]string{"site": site}}
			return map[string]appFiles{"shop": app}
		}
		w.repo.merge(at("berlin"))
		w.ends(reconcile.Applied)
		w.repo.merge(at("rome"))
		w.target.Forget()
		if res := w.ends(reconcile.Blocked); !strings.Contains(res.Reason, "no longer selects this host") {
			t.Errorf("the reason is %q", res.Reason)
		}
		if n := w.target.Changes(); n != 0 {
			t.Errorf("the target was changed %d times", n)
		}
		w.repo.merge(at("berlin"))
		w.ends(reconcile.Unchanged)
		w.repo.merge(at("rome"))
		w.ends(reconcile.Blocked)
		w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		if left := w.target.Instances(key("web")); len(left) != 0 {
			t.Errorf("slot web holds %v, want nothing", left)
		}
	})
}

// An event of the engine wakes the app that it is about; one without a name, all.
func TestEngineEventsWakeTheirApp(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		engine := &telling{world: w, events: make(chan string)}
		w.restart(func(o *reconcile.Options) { o.Engine = engine })
		w.repo.merge(two("v1", "v1"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		blog := w.others["blog"]
		looked := func(event string) (atShop, atBlog bool) {
			w.target.Forget()
			blog.Forget()
			engine.events <- event
			later(time.Second)
			return len(w.target.Calls()) > 0, len(blog.Calls()) > 0
		}
		for event, want := range map[string][2]bool{"shop": {true, false}, "blog": {false, true}, "nobody": {false, false}, "": {true, true}} {
			if atShop, atBlog := looked(event); [2]bool{atShop, atBlog} != want {
				t.Errorf("an event of %q: looked at shop %t, at blog %t", event, atShop, atBlog)
			}
		}
		close(engine.events) // it is a poll's turn then, and no reason to spin
		w.target.Forget()
		w.repo.merge(two("v2", "v1"))
		later(time.Minute)
		w.runs("web", "v2")
	})
}
