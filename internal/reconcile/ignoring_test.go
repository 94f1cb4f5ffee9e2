package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// shopWith merges the shop with what it says of drift.
func (w *world) shopWith(d config.Drift, objects ...resource.Object) {
	app := appFiles{objects: objects}
	app.config.Drift = d
	w.repo.merge(map[string]appFiles{"shop": app})
}

// What is ignored in one is ignored in the other: it is neither reported nor put back,
// also where the same instance is mended otherwise.
func TestIgnoredFieldIsNeitherReportedNorPutBack(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.shopWith(config.Drift{Ignore: []config.Ignore{{Objects: []string{"container/web"}, Fields: []string{"size"}, Reason: "an operator scales it"}}},
			one("web", `"image":"v1","size":"small"`), one("db", `"image":"v1","size":"small"`))
		w.ends(reconcile.Applied)
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1","size":"large"}`)
		w.ends(reconcile.Unchanged)
		w.tells()
		if s := w.status(); s.Status != reconcile.Synced || len(s.Drift) != 0 {
			t.Errorf("it is %s with drift %v", s.Status, s.Drift)
		} else if len(s.Ignored) != 1 || s.Ignored[0].Rule != "an operator scales it" || s.Ignored[0].Live != "large" {
			t.Errorf("status says of what is ignored %+v", s.Ignored)
		}
		w.target.Rename(key("web"), "by-hand")
		w.ends(reconcile.Applied)
		live := w.target.Instances(key("web"))
		if len(live) != 1 || !strings.Contains(string(live[0].Spec), `"size":"large"`) {
			t.Errorf("after a mend, it is %s", live[0].Spec)
		}
		w.tells("opened shop#1 container/web/1 modified name: by-hand -> web-1", "resolved shop#1 repaired by syncd")
		w.target.Edit(key("db"), `{"image":"v1","pin":"sha256:v1","size":"large"}`)
		if res := w.ends(reconcile.Applied); !strings.Contains(res.Reason, "size: large -> small") {
			t.Errorf("of another object, %s", res.Reason)
		}
		w.target.Vanish(key("web")) // what is made anew is as it is wanted
		w.ends(reconcile.Applied)
		if live := w.target.Instances(key("web")); !strings.Contains(string(live[0].Spec), `"size":"small"`) {
			t.Errorf("made anew, it is %s", live[0].Spec)
		}
	})
}

func TestRuleThatIsAboutNoObjectIsTold(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.shopWith(config.Drift{Ignore: []config.Ignore{{Objects: []string{"container/web", "container/wbe*"}, Fields: []string{"size"}, Reason: "so it is"}}}, healthy("v1"))
		w.ends(reconcile.Applied)
		if notes := w.status().Notes; len(notes) != 1 || notes[0] != "drift.ignore, rule 1: no object of the app is called container/wbe*" {
			t.Errorf("status notes %q", notes)
		}
	})
}

// Rules of settings that cannot be read any more hold.
func TestRulesOutlastBrokenSettings(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.shopWith(config.Drift{Ignore: []config.Ignore{{Fields: []string{"size"}, Reason: "so it is"}}}, one("web", `"image":"v1","size":"small"`))
		w.ends(reconcile.Applied)
		w.repo.merge(map[string]appFiles{"shop": {unread: "line 1: unknown key"}})
		w.target.Edit(key("web"), `{"image":"v1","pin":"sha256:v1","size":"large"}`)
		w.pass()
		w.tells()
	})
}

func TestDriftIsReportedAtOnceAndRepairedAfterItsGrace(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(func(o *reconcile.Options) { o.Host.Drift.Grace = config.Duration(30 * time.Minute) })
		grace := config.Duration(10 * time.Minute)
		w.shopWith(config.Drift{Grace: &grace}, healthy("v1"), one("db", `"image":"v1"`))
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.look()
		opened := "opened shop#1 container/web/1 missing"
		w.tells(opened)
		if s := w.status(); s.Outcome != reconcile.Pending || !strings.Contains(s.Hint, "drift.grace") || !strings.Contains(s.Hint, "syncd sync shop") {
			t.Errorf("it is %s, hint %q", s.Outcome, s.Hint)
		}
		later(7 * time.Minute)
		w.target.Vanish(key("db"))
		w.look()
		if len(w.target.Instances(key("web"))) != 0 {
			t.Error("it was repaired before its time")
		}
		later(2 * time.Minute)
		if len(w.target.Instances(key("web"))) != 1 || len(w.target.Instances(key("db"))) != 0 {
			t.Error("what is old enough is to be repaired, and nothing else")
		}
		if k := w.known(); k.Drift["missing"] != 1 {
			t.Errorf("of drift is known %v, want the one that waits still", k.Drift)
		}
		later(10 * time.Minute)
		if len(w.target.Instances(key("db"))) != 1 {
			t.Error("the other one is not repaired")
		}
		w.tells(opened, "changed shop#1 container/db/1 missing and 1 more", "resolved shop#1 repaired by syncd")
		w.target.Vanish(key("web"))
		w.look()
		w.ends(reconcile.Applied) // a person does not wait
	})
}

// What a repair leaves alone for now may be nothing: it is no part of the plan, and
// nobody is let in for it.
func TestRouteIsRepairedWhileAnInstanceIsMissing(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		grace, second := config.Duration(5*time.Minute), resource.Key{Kind: "container", Namespace: "web", Name: "2"}
		objects := routed(service("web", 2, `"image":"v1"`), `"mode":"tcp"`)
		route := objects[len(objects)-1].Key
		w.shopWith(config.Drift{Grace: &grace}, objects...)
		w.ends(reconcile.Applied)
		defer w.background()()
		later(time.Minute)
		w.target.Edit(route, `{"mode":"http"}`)
		w.look()
		later(2 * time.Minute)
		w.target.Vanish(second)
		w.look()
		later(3 * time.Minute)
		w.tells("opened shop#1 route/web/8080 modified mode: http -> tcp", "changed shop#1 container/web/2 missing and 1 more")
		if got := w.target.Serving(route); len(got) != 1 || len(w.target.Instances(second)) != 0 {
			t.Errorf("served are %v, and of the young one there is %v: want the route repaired, and nothing else", got, w.target.Instances(second))
		}
		later(5 * time.Minute)
		if got := w.target.Serving(route); len(got) != 2 {
			t.Errorf("served are %v, want both", got)
		}
	})
}

// By its schedule an app is looked at, whatever no event has told.
func TestAppIsLookedAtByItsDriftSchedule(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.restart(func(o *reconcile.Options) {
			o.Resync, o.Host.Drift.Schedule = 1000*time.Hour, "0 12 * * *"
		})
		w.shopWith(config.Drift{}, healthy("v1"))
		defer w.background()()
		later(time.Minute)
		w.target.Vanish(key("web"))
		later(11 * time.Hour)
		if len(w.target.Instances(key("web"))) != 0 {
			t.Fatal("it was looked at before")
		}
		later(time.Hour)
		w.runs("web", "v1")
		w.shopWith(config.Drift{Schedule: "0 13 * * *"}, healthy("v1"))
		later(10 * time.Minute)
		w.target.Vanish(key("web"))
		later(25 * time.Hour)
		w.runs("web", "v1")
	})
}
