package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// gatekeeper is an engine with gates.
type gatekeeper struct {
	*world
	gates []apply.Gate
	err   error
	asked int
	// renewed are the gates that were renewed; renewing is what that does besides.
	renewed  []string
	renewing func(resource.Ref) error
}

func (k *gatekeeper) Gates(_ context.Context, _ string, ask bool) ([]apply.Gate, error) {
	if ask {
		k.asked++
	}
	return k.gates, k.err
}

func (k *gatekeeper) AllGates(context.Context) (map[string][]apply.Gate, error) {
	return map[string][]apply.Gate{"shop": k.gates, "nobodys": k.gates}, k.err
}

func (k *gatekeeper) RenewGate(_ context.Context, _ string, ref resource.Ref) (apply.Renewal, error) {
	if k.renewing != nil {
		if err := k.renewing(ref); err != nil {
			return apply.Renewal{}, err
		}
	}
	k.renewed = append(k.renewed, ref.ID)
	return apply.Renewal{From: apply.GateProgram{Version: "v1"}, To: apply.GateProgram{Version: "v2"}, Gap: resource.Duration(410 * time.Millisecond), Cut: len(k.renewed) - 1}, nil
}

// gateOf is a gate that runs an image, where img2 is the newest.
func gateOf(id, port, image string) apply.Gate {
	return apply.Gate{
		Ref: resource.Ref{ID: id}, Route: routeKey(port), Name: "shop-web-gate-" + port, Running: true, Answers: true, Drain: resource.Duration(10 * time.Second),
		Program: apply.GateProgram{Version: "v" + image[3:], Image: image}, Newest: apply.GateProgram{Version: "v2", Image: "img2"},
	}
}

func routeKey(port string) resource.Key {
	return resource.Key{Kind: "route", Namespace: "web", Name: port}
}

// guarded is a world whose engine has these gates, with the shop up.
func guarded(t *testing.T, test func(t *testing.T, k *gatekeeper), gates ...apply.Gate) {
	t.Helper()
	within(t, func(t *testing.T, w *world) {
		k := &gatekeeper{world: w, gates: gates}
		w.restart(func(o *reconcile.Options) { o.Engine = k })
		w.repo.shop(healthy("v1"))
		w.ends(reconcile.Applied)
		test(t, k)
	})
}

// refused carries a verb out that must not be.
func (w *world) refused(verb string, req reconcile.ActRequest, class fault.Class, part string) {
	w.t.Helper()
	req.App, req.Who = "shop", "ann"
	_, err := w.agent.Act(w.t.Context(), verb, req, nil)
	if fault.Of(err) != class || !strings.Contains(err.Error()+" / "+fault.Advice(err), part) {
		w.t.Errorf("%s ended with %v (%s; %s), want %s: %s", verb, err, fault.Of(err), fault.Advice(err), class, part)
	}
}

func TestOnlyAQuestionAboutOneAppAsksGates(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		k.ends(reconcile.Unchanged)
		_, err := k.agent.Status(t.Context(), nil)
		k.must(err)
		_, err = k.agent.Explain(t.Context(), "shop")
		k.must(err)
		if k.asked != 0 {
			t.Errorf("gates were asked %d times", k.asked)
		}
		if s := k.status(); k.asked != 1 || len(s.Gates) != 1 {
			t.Errorf("asked %d times, told of %v", k.asked, s.Gates)
		}
		all, err := k.agent.AllGates(t.Context())
		k.must(err)
		if len(all) != 1 || len(all["shop"]) != 1 {
			t.Errorf("of all gates it tells %v", all)
		}
		k.err = errors.New("no answer")
		if s := k.status(); s.Status != reconcile.Synced || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "no answer") {
			t.Errorf("the app is %s, with the notes %q", s.Status, s.Notes)
		}
	}, gateOf("a", "80", "img2"))
}

func TestUpgradeRenewsWhatRunsAnotherProgram(t *testing.T) {
	stopped, strange := gateOf("s", "82", "img1"), gateOf("f", "83", "img1")
	stopped.Running, strange.Foreign = false, true
	guarded(t, func(t *testing.T, k *gatekeeper) {
		would := k.act("gate-upgrade", reconcile.ActRequest{})
		want := `gate web:82 is left out: it does not run, which a pass mends: syncd sync shop
gate web:83 is left alone: another syncd agent made it
gate web:80: v1 -> v2, gap about 1.2 s, 0 in flight, which get up to 10s to end
gate web:84: v1 -> v2, gap about 1.2 s, 0 in flight, which get up to 10s to end`
		if would.Text != want || would.Idle || len(k.renewed) != 0 {
			t.Errorf("beforehand it says\n%s\nand has renewed %v", would.Text, k.renewed)
		}
		k.refused("gate-upgrade", reconcile.ActRequest{Confirm: true, Plan: "another"}, fault.Rejected, "syncd gate upgrade shop")
		did := k.act("gate-upgrade", reconcile.ActRequest{Confirm: true, Plan: would.Digest})
		if want := "gate web:80: v1 -> v2, gap 0.41 s\ngate web:84: v1 -> v2, gap 0.41 s, 1 in flight cut"; did.Text != want || !slices.Equal(k.renewed, []string{"a", "e"}) {
			t.Errorf("it says\n%s\nand has renewed %v", did.Text, k.renewed)
		}
		entries, err := k.agent.History(t.Context(), "shop", 1)
		k.must(err)
		if e := entries[0]; e.Kind != "gate upgrade" || e.Who != "ann" || !strings.Contains(e.Reason, "gap 0.41 s; gate web:84") {
			t.Errorf("history has %+v", e)
		}
	}, stopped, strange, gateOf("a", "80", "img1"), gateOf("b", "81", "img2"), gateOf("e", "84", "img1"))
}

func TestUpgradeEndsWithTheFirstThatFails(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		k.renewing = func(ref resource.Ref) error {
			if ref.ID == "b" {
				return errors.New("it does not listen; the old one goes on")
			}
			return nil
		}
		k.refused("gate-upgrade", reconcile.ActRequest{Confirm: true}, fault.Unknown, "upgrade gate web:81: it does not listen; the old one goes on (before that: gate web:80: v1 -> v2, gap 0.41 s)")
		if !slices.Equal(k.renewed, []string{"a"}) {
			t.Errorf("renewed %v", k.renewed)
		}
		entries, err := k.agent.History(t.Context(), "shop", 1)
		k.must(err)
		if e := entries[0]; e.Outcome != "degraded" || !strings.Contains(e.Reason, "it does not listen") {
			t.Errorf("history has %+v", e)
		}
	}, gateOf("a", "80", "img1"), gateOf("b", "81", "img1"), gateOf("c", "82", "img1"))
}

func TestGatesOfWhatIsLeftAloneAreLeftAlone(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		if res := k.act("gate-upgrade", reconcile.ActRequest{Confirm: true}); res.Idle {
			t.Error("nothing was to be done")
		}
		k.renewed = nil
		k.act("pause", reconcile.ActRequest{Reason: "looking"})
		for _, verb := range []string{"gate-upgrade", "gate-enable", "gate-release"} {
			k.refused(verb, reconcile.ActRequest{Confirm: true}, fault.Blocked, "syncd resume shop")
		}
		k.act("resume", reconcile.ActRequest{})
		text := k.act("release", reconcile.ActRequest{}).Text
		if !strings.Contains(text, "its gates go on") || !strings.Contains(text, "docker rm -f shop-web-gate-80") {
			t.Errorf("release says %q", text)
		}
		k.act("release", reconcile.ActRequest{Confirm: true})
		for _, verb := range []string{"gate-upgrade", "gate-enable", "gate-release"} {
			k.refused(verb, reconcile.ActRequest{Confirm: true}, fault.Blocked, "syncd adopt shop")
		}
		k.restart(func(o *reconcile.Options) { o.Engine, o.ReadOnly = k, true })
		k.refused("gate-upgrade", reconcile.ActRequest{Confirm: true}, fault.Blocked, "read-only")
		if len(k.renewed) != 0 {
			t.Errorf("renewed %v", k.renewed)
		}
	}, gateOf("a", "80", "img1"))
}

// A pass would take the new gate for one too many.
func TestNoPassRunsBesideAnUpgrade(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		passed := make(chan error, 1)
		k.renewing = func(resource.Ref) error {
			k.target.Forget()
			go func() {
				_, err := k.agent.Sync(t.Context(), reconcile.SyncRequest{Apps: []string{"shop"}}, nil)
				passed <- err
			}()
			later(time.Minute)
			if n := len(k.target.Calls()); n != 0 {
				t.Errorf("a pass made %d calls meanwhile", n)
			}
			return nil
		}
		k.act("gate-upgrade", reconcile.ActRequest{Confirm: true})
		k.must(<-passed)
	}, gateOf("a", "80", "img1"))
}

// published is the web service with its port, on itself or behind a gate.
func published(gated bool) []resource.Object {
	web := healthy("v1")
	port := []resource.Claim{{Kind: resource.ClaimPort, Value: "0.0.0.0:80/tcp"}}
	if !gated {
		web.Claims, web.Spec = port, []byte(`{"image":"v1","port":"80"}`)
		return []resource.Object{web}
	}
	return []resource.Object{web, {Key: routeKey("80"), Group: "web", Claims: port, Spec: []byte(`{"mode":"tcp"}`)}}
}

// mergesBack merges what the shop is to be, whose merges wait for a person.
func (k *gatekeeper) mergesBack(prune bool) func([]resource.Object) {
	no := false
	return func(objects []resource.Object) {
		app := appFiles{objects: objects}
		app.config.Sync.Auto, app.config.Sync.Prune = &no, &prune
		k.repo.merge(map[string]appFiles{"shop": app})
	}
}

func TestEnableTakesPortsOverThatGitWantsGatesFor(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		merge := k.mergesBack(true)
		merge(published(false))
		k.ends(reconcile.Applied)
		k.target.Forget()
		k.refused("gate-enable", reconcile.ActRequest{}, fault.Rejected, "x-syncd: {gate: tcp}")
		k.refused("gate-enable", reconcile.ActRequest{Services: []string{"web"}}, fault.Rejected, "services.web")
		k.refused("gate-enable", reconcile.ActRequest{Services: []string{"wbe"}}, fault.Rejected, "its services: web")
		merge(published(true))
		would := k.act("gate-enable", reconcile.ActRequest{})
		if !strings.Contains(would.Text, "web: a gate takes its port over, gap about 1.2 s") || would.Preview == nil || k.target.Changes() != 0 {
			t.Errorf("beforehand it says %q, and has changed %d times", would.Text, k.target.Changes())
		}
		merge(append(published(true), one("log", `"image":"v1"`)))
		k.refused("gate-enable", reconcile.ActRequest{Confirm: true, Plan: would.Preview.Digest}, fault.Rejected, "look again: syncd gate enable shop")
		did := k.act("gate-enable", reconcile.ActRequest{Confirm: true, Services: []string{"web"}})
		if did.Result.Outcome != reconcile.Applied || len(did.Result.Gaps) != 1 || did.Result.Gaps[0].Key != routeKey("80") || !strings.Contains(did.Text, "also for other services") {
			t.Errorf("it says %q, and did %+v", did.Text, did.Result)
		}
		if again := k.act("gate-enable", reconcile.ActRequest{Confirm: true}); !again.Idle || again.Text != "web: its gate publishes its port already" {
			t.Errorf("once more: %+v", again)
		}
	})
}

func TestReleaseGivesPortsBackThatGitWantsNoGatesFor(t *testing.T) {
	guarded(t, func(t *testing.T, k *gatekeeper) {
		merge := k.mergesBack(true)
		log := one("log", `"image":"v1"`)
		merge(append(routed(publishing("v1", "", nil), `"mode":"tcp","drain":3000000000,"proxy_protocol":true`), log))
		k.act("gate-enable", reconcile.ActRequest{Confirm: true})
		k.target.Forget()
		k.refused("gate-release", reconcile.ActRequest{}, fault.Rejected, "the repository still asks for a gate for service web of app shop")
		k.refused("gate-release", reconcile.ActRequest{Confirm: true, Services: []string{"web"}}, fault.Rejected,
			"write below services.web in shop/compose.yaml: x-syncd: {gate: none} without proxyProtocol, which only gates have")
		k.refused("gate-release", reconcile.ActRequest{Services: []string{"wbe"}}, fault.Rejected, "its services: log, web")
		if none := k.act("gate-release", reconcile.ActRequest{Confirm: true, Services: []string{"log"}}); !none.Idle || none.Text != "log: no gate publishes a port of it" {
			t.Errorf("of a service without a gate it says %+v", none)
		}
		merge(append(publishing("v1", "", []string{"8080"}), log))
		would := k.act("gate-release", reconcile.ActRequest{})
		if want := "web: its gate gives port 8080 back, gap about 0.3 s: from the gate's stop until its container is healthy, besides up to 3s in which what is in flight at the gate may end"; would.Text != want || would.Preview == nil || k.target.Changes() != 0 {
			t.Errorf("beforehand it says %q, and has changed %d times", would.Text, k.target.Changes())
		}
		merge(append(publishing("v1", "", []string{"8080"}), one("log", `"image":"v2"`)))
		k.refused("gate-release", reconcile.ActRequest{Confirm: true, Plan: would.Preview.Digest}, fault.Rejected, "look again: syncd gate release shop")
		did := k.act("gate-release", reconcile.ActRequest{Confirm: true, Services: []string{"web"}})
		if did.Result.Outcome != reconcile.Applied || len(did.Result.Gaps) != 1 || !slices.Equal(did.Result.Gaps[0].Back, []string{"8080"}) || !strings.Contains(did.Text, "also for other services") {
			t.Errorf("it says %q, and did %+v", did.Text, did.Result)
		}
		entries, err := k.agent.History(t.Context(), "shop", 2)
		k.must(err)
		if e := entries[1]; e.Kind != "gate release" || e.Who != "ann" || !strings.Contains(e.Reason, "gives port 8080 back") {
			t.Errorf("history has %+v", e)
		}
		if again := k.act("gate-release", reconcile.ActRequest{Confirm: true}); !again.Idle || again.Text != "no gate publishes a port of app shop" {
			t.Errorf("once more: %+v", again)
		}
	})
}

// What a gate publishes for a port or a service that is gone goes, too, unless
// nothing is to be removed.
func TestReleaseTellsOfPortsThatNobodyWants(t *testing.T) {
	log := one("log", `"image":"v1"`)
	for name, c := range map[string]struct {
		prune, idle bool
		then        []resource.Object
		says        string
	}{
		"the port is gone":    {true, false, append(publishing("v1", "", nil), log), "web: its gate goes with its port 8080: it publishes that no more"},
		"the service is gone": {true, false, []resource.Object{log}, "web: its gate goes with its port 8080: it publishes that no more"},
		"nothing is removed":  {false, true, append(publishing("v1", "", nil), log), "web: its gate of port 8080 stays: nothing of the app is removed (sync.prune, or a consent that is missing: syncd plan shop)"},
	} {
		t.Run(name, func(t *testing.T) {
			guarded(t, func(t *testing.T, k *gatekeeper) {
				merge := k.mergesBack(c.prune)
				merge(append(routed(publishing("v1", "", nil), `"mode":"tcp"`), log))
				k.act("gate-enable", reconcile.ActRequest{Confirm: true})
				merge(c.then)
				for _, services := range [][]string{nil, {"web"}} {
					if would := k.act("gate-release", reconcile.ActRequest{Services: services}); would.Text != c.says || would.Idle != c.idle {
						t.Errorf("of %v it says %q (idle: %v)", services, would.Text, would.Idle)
					}
				}
			})
		})
	}
}
