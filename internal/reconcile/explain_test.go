package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// situation is what an operator may find in the morning, and what he has to be
// told about it.
type situation struct {
	happens func(w *world)
	// said are parts of the lines, actor is who has to act.
	said  []string
	actor string
	// types begin the commands that are to be typed, in order.
	types []string
}

func situations() map[string]situation {
	deployed := func(w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
	}
	return map[string]situation{
		"all is well": {
			deployed,
			[]string{"shop is Synced and Healthy.", "It runs what the repository asks for: 0000000000"},
			"nobody", nil,
		},
		"quarantined": {
			func(w *world) {
				deployed(w)
				w.repo.shop(never("v2"))
				w.ends(reconcile.RolledBack)
				w.ends(reconcile.Held)
			},
			[]string{"shop is RolledBack and Healthy.", "It runs the good revision 0000000000", "The repository asks for", "failed: container/web/1: not healthy after 1m0s", "syncd retry shop"},
			"the author of the change", []string{"syncd logs shop --attempt 0000000000", "syncd retry shop"},
		},
		"refused by the target": {
			func(w *world) {
				deployed(w)
				w.repo.shop(one("web", `"image":"v2","invalid":"no such device"`))
				w.ends(reconcile.Rejected)
				w.ends(reconcile.Held)
			},
			[]string{"shop is Held and Healthy.", "no such device", "merge a fix"},
			"the author of the change", []string{"syncd retry shop"},
		},
		"broken files": {
			func(w *world) {
				deployed(w)
				w.repo.merge(map[string]appFiles{"shop": {broken: "compose.yaml:3: not a mapping"}})
				w.ends(reconcile.Rejected)
			},
			[]string{"shop is OutOfSync and Healthy.", "It runs the good revision", "ended rejected", "compose.yaml:3: not a mapping"},
			"the author of the change", []string{"syncd plan shop"},
		},
		"held by a person": {
			func(w *world) {
				deployed(w)
				w.repo.shop(healthy("v2"))
				w.ends(reconcile.Applied)
				w.act("rollback", reconcile.ActRequest{})
				w.ends(reconcile.Held)
			},
			[]string{"shop is Held and Healthy.", "ann rolled back to 0000000000", "until the app's files change"},
			"an operator", []string{"syncd resume shop"},
		},
		"paused": {
			func(w *world) {
				deployed(w)
				w.act("pause", reconcile.ActRequest{Reason: "looking at the leak", Until: time.Now().Add(time.Hour)})
				w.ends(reconcile.Paused)
			},
			[]string{"shop is Paused and Healthy.", "paused by ann: looking at the leak"},
			"an operator", []string{"syncd resume shop"},
		},
		"released": {
			func(w *world) {
				n := &neighbours{world: w}
				w.restart(func(o *reconcile.Options) { o.Engine = n })
				deployed(w)
				w.act("release", reconcile.ActRequest{Confirm: true})
				w.ends(reconcile.Paused)
			},
			[]string{"shop is Paused", "released: syncd leaves it alone"},
			"an operator", []string{"syncd adopt shop"},
		},
		"halted first deploy": {
			func(w *world) {
				w.repo.shop(never("v1"))
				w.ends(reconcile.Halted)
				w.ends(reconcile.Halted)
			},
			[]string{"shop is Halted", "No revision has become good yet.", "there is no good revision to go back to", "merge a fix"},
			"an operator", []string{"syncd logs shop --attempt 0000000000", "syncd retry shop"},
		},
		"halted rollback": {
			func(w *world) {
				w.repo.shop(healthy("v1"), one("db", `"image":"v1"`))
				w.ends(reconcile.Applied)
				w.target.Break(key("db"), "its disk is gone")
				w.repo.shop(healthy("v1"), one("db", `"image":"v2","health":"never"`))
				w.ends(reconcile.Halted)
			},
			[]string{"shop is Halted", "container/db/1", "the rollback failed"},
			"an operator", []string{"syncd logs shop --attempt 0000000000", "syncd retry shop"},
		},
		"blocked by what somebody else runs": {
			func(w *world) {
				w.repo.shop(healthy("v1"))
				_, err := w.target.Plant(healthy("v0"))
				w.must(err)
				w.ends(reconcile.Blocked)
			},
			[]string{"shop is Blocked", "container/web/1", "syncd adopt shop"},
			"an operator", []string{"syncd plan shop"},
		},
		"blocked by another app": {
			func(w *world) {
				shop := appFiles{objects: []resource.Object{healthy("v1")}}
				shop.config.DependsOn = []string{"blog"}
				w.repo.merge(map[string]appFiles{"shop": shop, "blog": {objects: []resource.Object{one("blog", `"health":"never"`)}}})
				w.ends(reconcile.Blocked)
			},
			[]string{"shop is Blocked", "it waits for app blog", "syncd explain blog"},
			"an operator", []string{"syncd plan shop"},
		},
		"waiting for consent": {
			func(w *world) {
				w.repo.shop(healthy("v1"), volume("data"))
				w.ends(reconcile.Applied)
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Blocked)
			},
			[]string{"shop is Blocked and Healthy.", "consent is missing", "remove volume/data"},
			"an operator", []string{"syncd plan shop", "syncd approve shop --plan "},
		},
		"vanished": {
			func(w *world) {
				deployed(w)
				w.repo.merge(map[string]appFiles{})
				w.ends(reconcile.Blocked)
			},
			[]string{"shop is Blocked and Healthy.", "its directory is gone from revision 0000000000", "consent is missing"},
			"an operator", []string{"syncd plan shop", "syncd approve shop --plan "},
		},
		"waiting to be asked": {
			func(w *world) {
				no := false
				deployed(w)
				app := appFiles{objects: []resource.Object{healthy("v2")}}
				app.config.Sync.Auto = &no
				w.repo.merge(map[string]appFiles{"shop": app})
				stop := w.background()
				later(time.Minute)
				stop()
			},
			[]string{"shop is OutOfSync and Healthy.", "sync.auto is false"},
			"an operator", []string{"syncd plan shop", "syncd sync shop"},
		},
		"unwell": {
			func(w *world) {
				deployed(w)
				w.target.Break(key("web"), "its disk is full")
				w.ends(reconcile.Degraded)
			},
			[]string{"shop is Synced and Degraded.", "its disk is full", "health.onUnhealthy"},
			"an operator", nil,
		},
	}
}

// explain is the first thing to type: why it is so, who has to act, what to type.
func TestExplainSaysWhyWhoAndWhat(t *testing.T) {
	for name, s := range situations() {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				s.happens(w)
				e := w.explained()
				for _, part := range s.said {
					if !linesOf(e).has(part) {
						t.Errorf("it does not say %q:\n%s", part, linesOf(e))
					}
				}
				if e.Actor != s.actor {
					t.Errorf("%s has to act, want %s", e.Actor, s.actor)
				}
				if !slices.EqualFunc(e.Type, s.types, strings.HasPrefix) {
					t.Errorf("to be typed is %q, want %q", e.Type, s.types)
				}
				typable(t, w, e)
			})
		})
	}
}

// typable fails the test where a verb that is to be typed would be refused.
func typable(t *testing.T, w *world, e reconcile.Explanation) {
	t.Helper()
	for _, line := range e.Type {
		words := strings.Fields(line)
		req := reconcile.ActRequest{App: words[2], Who: "ann", Confirm: true}
		switch words[1] {
		case "plan", "logs", "sync", "adopt": // they ask, or any pass does it
			continue
		case "approve":
			req.Plan = words[4]
		}
		if _, err := w.agent.Act(t.Context(), words[1], req, nil); err != nil {
			t.Errorf("what it says to type is refused: %s: %v", line, err)
		}
	}
}
