package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// nightly allows changes from 22:00 on, for six hours. The bubble's clock begins at
// midnight UTC, on Saturday, 2000-01-01.
var nightly = config.HostWindow{Kind: "allow", Schedule: "0 22 * * *", Duration: config.Duration(6 * time.Hour)}

// windowed gives the host these windows.
func windowed(windows ...config.HostWindow) func(*reconcile.Options) {
	return func(o *reconcile.Options) { o.Host.Sync.Windows = windows }
}

// inWindows runs a test on a host with these windows, at noon, with v1 deployed.
func inWindows(t *testing.T, test func(t *testing.T, w *world), windows ...config.HostWindow) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		w.restart(windowed(windows...))
		later(time.Until(time.Date(2000, 1, 1, 12, 0, 0, 0, time.UTC)))
		test(t, w)
	})
}

// held fails the test unless a pass is blocked by nothing but the time.
func (w *world) held(words ...string) reconcile.Result {
	w.t.Helper()
	res := w.ends(reconcile.Blocked)
	if res.Cause != reconcile.CauseWindow || !said(res.Reason).has(words...) || !said(res.Hint).has("--force --reason") {
		w.t.Errorf("it is blocked by %q: %q, hint %q, want %q", res.Cause, res.Reason, res.Hint, words)
	}
	return res
}

func (w *world) force(reason string) reconcile.Result {
	w.t.Helper()
	res, err := w.agent.Sync(w.t.Context(), reconcile.SyncRequest{Apps: []string{"shop"}, Who: "ann", Force: true, Reason: reason}, nil)
	w.must(err)
	return res[0]
}

// told are the shop's entries of one kind.
func (w *world) told(kind string) []state.Entry {
	w.t.Helper()
	all, err := w.agent.History(w.t.Context(), "shop", 0)
	w.must(err)
	return slices.DeleteFunc(all, func(e state.Entry) bool { return e.Kind != kind })
}

func TestARevisionWaitsForItsWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		w.runs("web", "v1")
		s := w.status()
		if s.Status != reconcile.WBlocked || s.Health != reconcile.Healthy || s.Cause != reconcile.CauseWindow ||
			!said(s.Reason).has("pending "+commitName(1)[:10], "Sat 2000-01-01 22:00 UTC", `allow "0 22 * * *" UTC for 6h`) {
			t.Errorf("the app is %s and %s by %q, because %q", s.Status, s.Health, s.Cause, s.Reason)
		}
		if s.Window == nil || s.Window.Open || !s.Window.Until.Equal(time.Date(2000, 1, 1, 22, 0, 0, 0, time.UTC)) {
			t.Errorf("its window is %v", s.Window)
		}
		if e := w.explained(); !linesOf(e).has("Its window is closed until Sat 2000-01-01 22:00 UTC") || e.Actor != "nobody" || !slices.Contains(e.Type, "syncd sync shop --force --reason TEXT") {
			t.Errorf("explained as %+v", e)
		}
		calls := len(w.target.Calls())
		later(9*time.Hour + 50*time.Minute)
		w.runs("web", "v1")
		if n := len(w.target.Calls()) - calls; n > 200 { // a full look each ten minutes
			t.Errorf("meanwhile the target was asked %d times", n)
		}
		later(10*time.Minute - time.Since(time.Date(2000, 1, 1, 21, 52, 0, 0, time.UTC)) + 20*time.Second)
		w.runs("web", "v2")
		if s := w.status(); s.Status != reconcile.Synced || !s.Window.Open || !said(s.Window.String()).has("open until Sun 2000-01-02 04:00 UTC") {
			t.Errorf("the app is %s, its window %s", s.Status, s.Window)
		}
		if len(w.told("force")) != 0 {
			t.Error("the history tells of a force that there was not")
		}
	}, nightly)
}

// wantWindow fails the test unless scrapes are told this of the shop's window.
func (w *world) wantWindow(what string, open, waiting bool) {
	w.t.Helper()
	may, waits := w.agent.AppWindows()
	if is, there := may["shop"]; len(may) != 1 || !there || is != open || waits["shop"] != waiting {
		w.t.Errorf("%s: open %v, waiting %v", what, may, waits)
	}
}

func TestScrapesAreToldWhatWaitsForAWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.wantWindow("with nothing new", false, false)
		w.repo.shop(healthy("v2"))
		later(time.Minute)
		w.wantWindow("with a new revision", false, true)
		later(10 * time.Hour)
		w.wantWindow("when it has opened", true, false)
	}, nightly)
	within(t, func(t *testing.T, w *world) {
		if open, waiting := w.agent.AppWindows(); len(open)+len(waiting) != 0 {
			t.Errorf("without windows it tells of %v and %v", open, waiting)
		}
	})
}

func TestForceGoesThroughAWindowAndIsOnRecord(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		var heard []string
		w.restart(windowed(nightly), func(o *reconcile.Options) { o.Hear = func(e reconcile.Event) { heard = append(heard, e.Text) } })
		w.repo.shop(healthy("v2"))
		w.held("pending")
		for _, req := range []reconcile.SyncRequest{{Force: true}, {Force: true, Reason: " \x1b[2J"}, {Reason: "why"}} {
			if _, err := w.agent.Sync(t.Context(), req, nil); fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
				t.Errorf("%+v ends with %v", req, err)
			}
		}
		w.runs("web", "v1")
		if res := w.force("the till is down\x1b[2J\nreally"); res.Outcome != reconcile.Applied {
			t.Fatalf("it ended %s: %s", res.Outcome, res.Reason)
		}
		w.runs("web", "v2")
		all := w.told("force")
		if len(all) != 1 || all[0].Who != "ann" || !said(all[0].Reason).has("the till is down", "really", "closed until Sat 2000-01-01 22:00 UTC") || strings.ContainsAny(all[0].Reason, "\x1b\n") {
			t.Errorf("the history says %+v", all)
		}
		if !slices.ContainsFunc(heard, func(text string) bool { return said(text).has("ann forces it", "the till is down") }) {
			t.Errorf("heard %q", heard)
		}
		// Where nothing is forced, nothing is told.
		if res := w.force("again"); res.Outcome != reconcile.Unchanged || len(w.told("force")) != 1 {
			t.Errorf("it ended %s, and the history says %+v", res.Outcome, w.told("force"))
		}
		later(11 * time.Hour)
		w.repo.shop(healthy("v3"))
		if res := w.force("in its window"); res.Outcome != reconcile.Applied || len(w.told("force")) != 1 {
			t.Errorf("it ended %s, and the history says %+v", res.Outcome, w.told("force"))
		}
	}, nightly)
}

// A word that cannot be written was not given.
func TestForceThatCannotBeRecordedDoesNothing(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		d := &distant{}
		w.restart(windowed(nightly), func(o *reconcile.Options) { d.Store = w.store; o.Store = d })
		w.repo.shop(healthy("v2"))
		d.left.Store(0)
		if _, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{Apps: []string{"shop"}, Who: "ann", Force: true, Reason: "now"}, nil); err == nil {
			t.Error("nobody says that nothing could be written")
		}
		d.left.Store(1000)
		w.held("pending")
		w.runs("web", "v1")
		if len(w.told("force")) != 0 {
			t.Errorf("the history says %+v", w.told("force"))
		}
	}, nightly)
}

func TestDriftWaitsForTheWindowUnlessItHeals(t *testing.T) {
	for _, heal := range []bool{false, true} {
		window := nightly
		window.Heal = heal
		inWindows(t, func(t *testing.T, w *world) {
			stop := w.background()
			defer stop()
			later(time.Minute)
			w.target.Vanish(key("web"))
			w.agent.Look()
			later(time.Minute)
			if heal {
				w.runs("web", "v1")
				if s := w.status(); s.Status != reconcile.Synced || s.Window.Open || !s.Window.Heal {
					t.Errorf("the app is %s, its window %+v", s.Status, s.Window)
				}
				return
			}
			s := w.status()
			if len(w.target.Instances(key("web"))) != 0 || s.Status != reconcile.WBlocked || len(s.Drift) != 1 || !said(s.Reason).has("drift: ", "waiting for its window") {
				t.Errorf("the app is %s with drift %v, because %q", s.Status, s.Drift, s.Reason)
			}
			later(10 * time.Hour)
			w.runs("web", "v1")
		}, window)
	}
}

// Drift is repaired beside a revision that waits, against what is good.
func TestDriftIsRepairedWhileARevisionWaits(t *testing.T) {
	window := nightly
	window.Heal = true
	inWindows(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v2"))
		w.target.Vanish(key("web"))
		w.held("pending", "meanwhile: repaired drift")
		w.runs("web", "v1")
	}, window)
}

// What began inside goes on to its verdict: that it fails, and the way back.
func TestAFailingChangeGoesBackThoughTheWindowHasClosed(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		later(16*time.Hour - 10*time.Second) // just before four
		w.repo.shop(never("v2"))             // which is known a minute later
		res := w.ends(reconcile.RolledBack)
		if now := time.Now(); now.Hour() != 4 {
			t.Errorf("the verdict came at %s, want it after the window", now)
		}
		w.runs("web", "v1")
		if res.Cause != "" {
			t.Errorf("its cause is %q", res.Cause)
		}
		w.ends(reconcile.Held)
	}, nightly)
}

// So does what a crash cut short, and what a newer revision follows that has to
// wait.
func TestAChangeUnderWayWaitsForNoWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		later(16*time.Hour - 10*time.Second)
		w.repo.shop(one("web", `"image":"v2","health":"slow:20s"`))
		w.cutShort(5 * time.Second)
		later(time.Hour)
		w.restart(windowed(nightly))
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	}, nightly)
	inWindows(t, func(t *testing.T, w *world) {
		later(16*time.Hour - 40*time.Second)
		var ends []reconcile.Outcome
		w.restart(windowed(nightly), func(o *reconcile.Options) {
			o.Hear = func(e reconcile.Event) {
				if e.Result != nil {
					ends = append(ends, e.Result.Outcome)
				}
			}
		})
		stop := w.background()
		defer stop()
		later(5 * time.Second)
		w.repo.shop(one("web", `"image":"v2","health":"slow:50s"`))
		w.agent.Poll()
		later(30 * time.Second) // nearly four
		later(10 * time.Second)
		w.repo.shop(healthy("v3"))
		w.agent.Poll()
		later(10 * time.Minute)
		w.runs("web", "v2")
		w.held("pending " + commitName(2)[:10])
		if slices.Contains(ends, reconcile.Superseded) {
			t.Errorf("what has to wait ended what was under way: %v", ends)
		}
	}, nightly)
}

// A person who rolls back does not wait: something is wrong.
func TestAManualRollbackWaitsForNoWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v2"))
		w.force("now")
		if res := w.act("rollback", reconcile.ActRequest{}); res.Result.Outcome != reconcile.RolledBack {
			t.Errorf("it ended %s: %s", res.Result.Outcome, res.Result.Reason)
		}
		w.runs("web", "v1")
		if res := w.act("resume", reconcile.ActRequest{}); res.Result.Cause != reconcile.CauseWindow {
			t.Errorf("resume ended %s: %s", res.Result.Outcome, res.Result.Reason)
		}
	}, nightly)
}

// What a person consented to is done when the window opens.
func TestConsentWaitsForTheWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		w.repo.merge(map[string]appFiles{})
		w.ends(reconcile.Blocked)
		res := w.act("approve", reconcile.ActRequest{Plan: w.status().Plan})
		if res.Result.Cause != reconcile.CauseWindow {
			t.Fatalf("it ended %s: %s", res.Result.Outcome, res.Result.Reason)
		}
		w.runs("web", "v1")
		stop := w.background()
		defer stop()
		later(10*time.Hour + time.Minute)
		if left := w.target.Instances(key("web")); len(left) != 0 {
			t.Errorf("in its window, slot web holds %v, want nothing", left)
		}
	}, nightly)
}

// What stands in Git closes more, and opens nothing.
func TestBothTheHostAndTheAppHaveToBeOpen(t *testing.T) {
	for name, c := range map[string]struct {
		host, app config.Window
		open      bool
	}{
		"the app opens what the host closes": {config.Window{Kind: "deny"}, config.Window{Kind: "allow"}, false},
		"the app closes what the host opens": {config.Window{Kind: "allow"}, config.Window{Kind: "deny"}, false},
		"both open":                          {config.Window{Kind: "allow"}, config.Window{Kind: "allow"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			allDay := config.HostWindow{Kind: c.host.Kind, Schedule: "0 0 * * *", Duration: config.Duration(24 * time.Hour), Apps: []string{"shop"}}
			inWindows(t, func(t *testing.T, w *world) {
				app := appFiles{objects: []resource.Object{healthy("v2")}}
				app.config.Sync.Windows = []config.Window{{Kind: c.app.Kind, Schedule: "0 0 * * *", Duration: config.Duration(24 * time.Hour)}}
				w.repo.merge(map[string]appFiles{"shop": app, "blog": {objects: []resource.Object{one("blog", `"image":"b1"`)}}})
				results, err := w.agent.Sync(t.Context(), reconcile.SyncRequest{}, nil)
				w.must(err)
				if open := results[1].Outcome == reconcile.Applied; open != c.open {
					t.Errorf("the shop ended %s: %s", results[1].Outcome, results[1].Reason)
				}
				if results[0].Outcome != reconcile.Applied {
					t.Errorf("the blog, which the window is not for, ended %s: %s", results[0].Outcome, results[0].Reason)
				}
			}, allDay)
		})
	}
}

func TestPlanSaysThatItWaits(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v2"))
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		p := previews[0]
		if p.Plan.Empty() || p.Window == nil || p.Window.Open || !said(strings.Join(p.Notes, "\n")).has("closed until Sat 2000-01-01 22:00 UTC", "--force") {
			t.Errorf("the window is %v, the notes %q, the plan\n%s", p.Window, p.Notes, p.Plan)
		}
		w.ends(reconcile.Blocked)
		if n := w.target.Count("put"); n != 1 {
			t.Errorf("there were %d puts", n)
		}
	}, nightly)
}

// A window opens by the clock on the wall, also where that is set.
func TestAWindowGoesByTheClockOnTheWall(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		clock := &wallClock{}
		w.restart(windowed(nightly), withClock(clock))
		w.repo.shop(healthy("v2"))
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.runs("web", "v1")
		clock.jump(11 * time.Hour)
		later(11 * time.Minute) // nobody tells when a clock is set
		w.runs("web", "v2")
	}, nightly)
}

// A person's word is waited for inside a window, too; and both are said.
func TestApprovalWaitsForTheWindow(t *testing.T) {
	inWindows(t, func(t *testing.T, w *world) {
		no := false
		app := appFiles{objects: []resource.Object{healthy("v2")}}
		app.config.Sync.Auto = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		stop := w.background()
		defer stop()
		later(time.Minute)
		s := w.status()
		if s.Status != reconcile.OutOfSync || !said(s.Reason).has("pending "+commitName(1)[:10], "waiting for: syncd sync shop") || s.Hint != "syncd sync shop" {
			t.Errorf("the app is %s, because %q, hint %q", s.Status, s.Reason, s.Hint)
		}
		w.held("pending")
		later(10 * time.Hour)
		w.runs("web", "v1") // nobody asked in its window
		w.ends(reconcile.Applied)
		w.runs("web", "v2")
	}, nightly)
}

// While a revision waits for a person, drift against the good one is repaired.
func TestDriftIsRepairedWhileARevisionWaitsForAPerson(t *testing.T) {
	within(t, func(t *testing.T, w *world) {
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		no := false
		app := appFiles{objects: []resource.Object{healthy("v2")}}
		app.config.Sync.Auto = &no
		w.repo.merge(map[string]appFiles{"shop": app})
		stop := w.background()
		defer stop()
		later(time.Minute)
		w.target.Vanish(key("web"))
		w.agent.Look()
		later(time.Minute)
		w.runs("web", "v1")
		if s := w.status(); !said(s.Reason).has("pending", "waiting for: syncd sync shop") {
			t.Errorf("it says %q", s.Reason)
		}
		previews, err := w.agent.Plan(t.Context(), reconcile.PlanRequest{})
		w.must(err)
		if !said(strings.Join(previews[0].Notes, "\n")).has("sync.auto is false", "syncd sync shop") {
			t.Errorf("the plan's notes are %q", previews[0].Notes)
		}
	})
}

// An app must not gain the right to be changed by losing its settings.
func TestAnAppWhoseSettingsBreakKeepsWhatTheySaid(t *testing.T) {
	no := false
	for name, said := range map[string]config.Sync{
		"a window":   {Windows: []config.Window{{Kind: "deny", Schedule: "0 0 * * *", Duration: config.Duration(24 * time.Hour)}}},
		"no healing": {SelfHeal: &no},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, func(t *testing.T, w *world) {
				w.repo.shop(healthy("v1"))
				w.ends(reconcile.Applied)
				app := appFiles{objects: []resource.Object{healthy("v1")}, config: config.App{Sync: said}}
				w.repo.merge(map[string]appFiles{"shop": app})
				w.pass()
				app.config, app.unread = config.App{}, ".syncd.yaml:1: it makes no sense"
				w.repo.merge(map[string]appFiles{"shop": app})
				w.target.Vanish(key("web"))
				stop := w.background() // a person who asks would have it repaired
				later(time.Minute)
				stop()
				if n := len(w.target.Instances(key("web"))); n != 0 {
					t.Errorf("it was repaired all the same: %d instances", n)
				}
			})
		})
	}
}
