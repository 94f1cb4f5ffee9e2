package kube_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

// byHand is something that a person does to an object of the app.
type byHand struct {
	name string
	do   func(p *place)
	// want is what the report says of it.
	want string
	// repaired tells whether it is as Git says again.
	repaired func(p *place) bool
}

func byHands() []byHand {
	colour := func(p *place) bool { return field(p.live("configmaps", "settings"), "data", "colour") == "blue" }
	return []byHand{
		{"edit", func(p *place) { p.edit("configmaps", "settings", object{"data": object{"colour": "red"}}) }, "data.colour", colour},
		{"edit of a workload", func(p *place) { p.edit("deployments", "web", object{"spec": object{"replicas": 3}}) }, "spec.replicas",
			func(p *place) bool { return field(p.live("deployments", "web"), "spec", "replicas") == 2.0 }},
		{"removed field", func(p *place) { p.edit("configmaps", "settings", object{"data": object{"colour": nil}}) }, "data.colour", colour},
		{"delete", func(p *place) { p.do(http.MethodDelete, p.path("configmaps", "settings"), nil) }, "missing", colour},
		{"delete of a workload", func(p *place) { p.do(http.MethodDelete, p.path("deployments", "web"), nil) }, "missing",
			func(p *place) bool { return field(p.live("deployments", "web"), "status", "availableReplicas") == 2.0 }},
		{"label", func(p *place) {
			p.edit("configmaps", "settings", object{"metadata": object{"labels": object{"syncd.io/agent": nil}}})
		}, "metadata.labels.syncd.io/agent", func(p *place) bool {
			return field(p.live("configmaps", "settings"), "metadata", "labels", "syncd.io/agent") != nil
		}},
		{"label of another app", func(p *place) {
			p.edit("configmaps", "settings", object{"metadata": object{"labels": object{"syncd.io/app": "other"}}})
		}, "", func(p *place) bool {
			return field(p.live("configmaps", "settings"), "metadata", "labels", "syncd.io/app") == shop
		}},
	}
}

func TestDriftIsRepaired(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap, web)
	for _, c := range byHands() {
		c.do(p)
		res := p.wantOutcome(p.sync(), reconcile.Applied, "repaired drift", c.want)
		if !c.repaired(p) {
			t.Errorf("%s: it is not repaired: %s", c.name, res.Plan)
		}
		p.settled()
	}
}

// A running agent is told of drift by the cluster: no poll, and no resync, which is
// ten minutes away.
func TestARunningAgentSeesDriftAsItHappens(t *testing.T) {
	p := newPlace(t)
	p.deploy(settingsMap, web)
	p.run()
	p.awaitOutcome(0, reconcile.Applied)
	for _, c := range byHands() {
		mark := p.mark()
		c.do(p)
		begun := time.Now()
		p.await(mark, c.name+" is seen", func(e reconcile.Event) bool { return strings.HasPrefix(e.Text, "drift:") })
		seen := time.Since(begun)
		p.awaitOutcome(mark, reconcile.Applied)
		p.eventually(c.name+" is repaired", func() bool { return c.repaired(p) })
		t.Logf("%s: seen after %s, repaired after %s", c.name, seen.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
	}
}

func TestWithoutSelfHealDriftIsToldAndStays(t *testing.T) {
	p := newPlace(t)
	p.settings("sync: {selfHeal: false}\n")
	p.deploy(settingsMap, web)
	a, _ := p.run()
	p.awaitOutcome(0, reconcile.Applied)
	for _, c := range byHands() {
		mark := p.mark()
		c.do(p)
		res := p.awaitOutcome(mark, reconcile.Pending)
		if !strings.Contains(res.Reason, c.want) || !strings.Contains(res.Hint, "syncd sync shop") {
			t.Errorf("%s: the reason is %q, the hint %q", c.name, res.Reason, res.Hint)
		}
		if c.repaired(p) {
			t.Errorf("%s: it was repaired, and nobody asked", c.name)
		}
		p.untouchedSince(mark)
		p.wantOutcome(p.passOver(a, shop)[0], reconcile.Applied, "repaired drift")
		if !c.repaired(p) {
			t.Errorf("%s: it was not repaired when somebody asked", c.name)
		}
	}
}

// What others put beside our fields is told, and stays.
func TestForeignFieldsAreToldAndStay(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap)
	p.edit("configmaps", "settings", object{"data": object{"theirs": "yes"}})
	res := p.wantOutcome(p.sync(), reconcile.Unchanged)
	if aside := strings.Join(res.Report.Aside(), " "); !strings.Contains(aside, "data.theirs") {
		t.Errorf("the report does not tell of it: %q", aside)
	}
	p.deployed(strings.Replace(settingsMap, "blue", "green", 1))
	if data := field(p.live("configmaps", "settings"), "data", "theirs"); data != "yes" {
		t.Errorf("their field is %v, want it left alone", data)
	}
}
