package reconcile_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// watched is an app whose soak takes this long.
func watched(soak time.Duration, objects ...resource.Object) appFiles {
	d := config.Duration(soak)
	return appFiles{objects: objects, config: config.App{Rollout: config.Rollout{Soak: &d}}}
}

// Every wait is interruptible: a bad release does not serve on for its whole soak
// while somebody wants it gone.
func TestPersonInterruptsASoak(t *testing.T) {
	for verb, req := range map[string]reconcile.ActRequest{"pause": {Reason: "it is slow"}, "rollback": {}, "release": {Confirm: true}} {
		t.Run(verb, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				for _, image := range []string{"v1", "v2"} {
					w.repo.shop(healthy(image))
					w.ends(reconcile.Applied)
				}
				defer w.background()()
				later(time.Second)
				w.repo.merge(map[string]appFiles{"shop": watched(12*time.Hour, healthy("v3"))})
				later(time.Minute)
				w.runs("web", "v3")
				begun := time.Now()
				w.act(verb, req)
				if took := time.Since(begun); took > time.Minute {
					t.Errorf("the person waited %s", took)
				}
				if verb == "rollback" {
					w.runs("web", "v1")
				}
				if rec := w.record(); len(rec.Quarantine) != 0 {
					t.Errorf("quarantine is %v: nothing was judged", rec.Quarantine)
				}
			})
		})
	}
}

// Or frequent merges would never become good.
func TestNewInputLetsASoakFinish(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		w.repo.merge(map[string]appFiles{"shop": watched(10*time.Minute, healthy("v2"))})
		later(2 * time.Minute)
		w.repo.merge(map[string]appFiles{"shop": watched(10*time.Minute, healthy("v3"))})
		later(5 * time.Minute)
		w.runs("web", "v2")
		later(5 * time.Minute)
		w.runs("web", "v3")
		if rec := w.record(); rec.Good.Revision.Commit != commitName(1) {
			t.Errorf("good is %s, want the one that was watched to its end", rec.Good.Revision.Commit)
		}
	})
}

// A person who comes just as a pass begins does not wait for that one's soak.
func TestPersonInterruptsThePassThatComesFirst(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		begun := make(chan struct{})
		w.repo.onRender(func() {
			close(begun)
			w.repo.onRender(nil)
			time.Sleep(5 * time.Second) //nolint:forbidigo // the bubble's clock
		})
		w.repo.merge(map[string]appFiles{"shop": watched(12*time.Hour, healthy("v2"))})
		<-begun
		from := time.Now()
		w.act("pause", reconcile.ActRequest{Reason: "stop"})
		if took := time.Since(from); took > time.Minute {
			t.Errorf("the person waited %s", took)
		}
	})
}

// A fix does not wait behind the repair of what it fixes.
func TestNewInputPreemptsARepair(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(one("web", `"image":"v1","health":"slow:50s"`))
		defer w.background()()
		later(2 * time.Minute)
		w.target.Vanish(key("web"))
		w.agent.Look()
		later(5 * time.Second)
		w.repo.shop(healthy("v2"))
		w.agent.Look()
		later(5 * time.Second)
		w.runs("web", "v2")
	})
}

// A repair beside a revision that stays out is disturbed by that one only.
func TestUnrelatedCommitLetsARepairFinish(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		slow := one("web", `"image":"v1","health":"slow:50s"`)
		w.repo.shop(slow)
		defer w.background()()
		later(2 * time.Minute)
		w.repo.merge(map[string]appFiles{"shop": {broken: "not a mapping"}})
		later(time.Minute)
		w.target.Forget()
		w.target.Vanish(key("web"))
		w.agent.Look()
		for n := range 4 {
			later(10 * time.Second)
			w.repo.merge(map[string]appFiles{"shop": {broken: "not a mapping"}, "blog": {objects: []resource.Object{one("blog", fmt.Sprintf(`"image":"v%d"`, n))}}})
			w.agent.Look()
		}
		later(30 * time.Second)
		if n := w.target.Count("put"); n != 1 {
			t.Errorf("%d puts: the repair was begun anew", n)
		}
	})
}

// The limit is about change side by side, and not about waiting.
func TestSoakAndPullGiveTheirPlaceBack(t *testing.T) {
	for name, apps := range map[string]func(*world, string) appFiles{
		"soak": func(_ *world, app string) appFiles { return watched(30*time.Minute, one(app, `"image":"v1"`)) },
		"pull": func(w *world, app string) appFiles {
			target := w.Target(app).(*applytest.Memory)
			if app < "e" {
				target.OnCall(func(c applytest.Call) error {
					if c.Verb == "pin" {
						time.Sleep(30 * time.Minute) //nolint:forbidigo // the bubble's clock
					}
					return nil
				})
			}
			return appFiles{objects: []resource.Object{one(app, `"image":"v1"`)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				commit := map[string]appFiles{}
				for _, app := range []string{"a", "b", "c", "d", "e", "f"} {
					commit[app] = apps(w, app)
				}
				w.repo.merge(commit)
				defer w.background()()
				later(5 * time.Minute)
				for app := range commit {
					if n := len(w.others[app].Instances(key(app))); n != 1 && (name == "soak" || app >= "e") {
						t.Errorf("app %s holds %d instances after five minutes, want 1", app, n)
					}
				}
			})
		})
	}
}

// An app that was put, and well for its soak, is good before yet others are begun.
func TestWhoHasSoakedGoesBeforeWhoBegins(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		apps := strings.Split("abcdefghijklmnop", "") // four times as many as go side by side
		commit := map[string]appFiles{}
		for _, app := range apps {
			commit[app] = watched(10*time.Second, one(app, `"image":"v1","health":"slow:50s"`))
		}
		w.repo.merge(commit)
		defer w.background()()
		later(130 * time.Second) // the first four have soaked, and the next four have left their places
		if n := w.good(apps...); n < 4 {
			t.Errorf("%d apps are good, want the first 4", n)
		}
	})
}

// What a cluster starts by itself is waited for beside others, by so many.
func TestWhoAwaitsAClusterGivesItsPlaceAway(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.onCluster()
		commit := map[string]appFiles{}
		for i := range 140 {
			app := fmt.Sprintf("app-%03d", i)
			web := deployment(`"image":"v1","health":"slow:50s"`)
			web.Key.Name = app
			commit[app] = watched(time.Second, web)
		}
		w.repo.merge(commit)
		defer w.background()()
		later(30 * time.Second)
		put := 0
		for app := range commit {
			put += w.others[app].Count("put")
		}
		if want := 112 + 16; put != want {
			t.Errorf("%d apps wait for what was put, want %d", put, want)
		}
		later(2 * time.Minute)
		if n := w.good(slices.Collect(maps.Keys(commit))...); n != len(commit) {
			t.Errorf("%d apps are good, want all %d", n, len(commit))
		}
	})
}

// good is how many of these apps are on record with a good set.
func (w *world) good(apps ...string) (n int) {
	w.t.Helper()
	for _, app := range apps {
		rec, err := w.store.Record(app)
		w.must(err)
		if rec.Good != nil {
			n++
		}
	}
	return n
}

// A revision that comes while an older one is being rendered is not stuck behind
// that one's soak either.
func TestNewInputPreemptsAPassThatHasHardlyBegun(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Second)
		w.repo.onRender(func() {
			w.repo.onRender(nil)
			time.Sleep(5 * time.Second) //nolint:forbidigo // the bubble's clock
		})
		w.repo.merge(map[string]appFiles{"shop": watched(12*time.Hour, healthy("v2"))})
		w.agent.Look()
		later(time.Second)
		w.repo.merge(map[string]appFiles{"shop": watched(time.Second, healthy("v3"))})
		w.agent.Look()
		later(time.Minute)
		w.runs("web", "v3")
	})
}
