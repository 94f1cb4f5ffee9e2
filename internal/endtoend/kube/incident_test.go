package kube_test

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// drifts are the lines of history about an incident, the oldest first; of all where
// the number is 0.
func (p *place) drifts(a *reconcile.Agent, number int) []state.Entry {
	p.t.Helper()
	all, err := a.History(p.t.Context(), shop, 0)
	p.must(err)
	all = slices.DeleteFunc(all, func(e state.Entry) bool {
		return e.Kind != "drift" || number > 0 && e.Incident != state.IncidentID(shop, number)
	})
	slices.Reverse(all)
	return all
}

// Whatever somebody does to an object is told once when it is found, with its fields
// and who did it, and once when it is repaired; and nothing else is.
func TestEachDriftInAClusterIsOneIncident(t *testing.T) {
	p := newPlace(t)
	p.deploy(settingsMap, web)
	a, stop := p.run()
	p.awaitOutcome(0, reconcile.Applied)
	hands := byHands()
	for i, c := range hands {
		c.do(p)
		p.eventually(c.name+" is repaired", func() bool { return c.repaired(p) })
		p.eventually(c.name+" is told", func() bool { return len(p.drifts(a, i+1)) >= 2 })
		lines := p.drifts(a, i+1)
		if len(lines) != 2 || lines[0].Outcome != "opened" || lines[1].Outcome != "resolved" || lines[1].Reason != "repaired by syncd" ||
			len(lines[0].Findings) != 1 || !strings.Contains(lines[0].Findings[0], c.want) {
			t.Errorf("%s is told as %+v", c.name, lines)
		}
	}
	stop()
	p.settled()
	if rec := p.record(); rec.Incident != nil || rec.Incidents != len(hands) {
		t.Errorf("after %d drifts, there were %d incidents, and open is %+v", len(hands), rec.Incidents, rec.Incident)
	}
}

// Another field manager that changes a field back each time is named, and that object
// is left to it; all else is repaired as ever.
func TestFightWithAnotherManagerIsTold(t *testing.T) {
	p := newPlace(t)
	p.deploy(settingsMap, web)
	a, stop := p.run()
	defer stop()
	p.awaitOutcome(0, reconcile.Applied)
	hands := byHands()
	for i := range 4 {
		hands[0].do(p)
		p.eventually("it is told again", func() bool {
			lines := p.drifts(a, i+1)
			return len(lines) > 1 && slices.Contains([]string{"resolved", "fight"}, lines[len(lines)-1].Outcome)
		})
	}
	lines := p.drifts(a, 4)
	fight := lines[len(lines)-1]
	if fight.Outcome != "fight" || !strings.Contains(fight.Reason, "data.colour back each time") || !strings.Contains(fight.Hint, "syncd retry shop") || strings.HasPrefix(fight.Reason, "something") {
		t.Errorf("it is told as %+v", fight)
	}
	hands[1].do(p) // another object
	p.eventually("the workload is repaired", func() bool { return hands[1].repaired(p) })
	if hands[0].repaired(p) {
		t.Error("what is fought over is repaired all the same")
	}
	mark := p.mark()
	_, err := a.Act(t.Context(), "retry", reconcile.ActRequest{App: shop, Who: "ada"}, nil)
	p.must(err)
	p.awaitOutcome(mark, reconcile.Applied)
	p.eventually("it is repaired", func() bool { return hands[0].repaired(p) })
}

// A field that another manager owns may differ where a rule says so: it is neither
// reported nor put back, also where the same object is mended otherwise.
func TestIgnoredFieldIsLeftToItsOwner(t *testing.T) {
	p := newPlace(t)
	p.settings("drift:\n  ignore: [{objects: [\"Deployment/*\"], fields: [spec.replicas], reason: the platform scales it}]\n")
	p.deploy(settingsMap, web)
	a, stop := p.run()
	defer stop()
	p.awaitOutcome(0, reconcile.Applied)
	p.edit("deployments", "web", object{"spec": object{"replicas": 3}})
	p.edit("deployments", "web", object{"spec": object{"minReadySeconds": 7}})
	mark := p.mark()
	p.edit("deployments", "web", object{"metadata": object{"labels": object{"syncd.io/agent": nil}}})
	p.awaitOutcome(mark, reconcile.Applied)
	live := p.live("deployments", "web")
	if n := field(live, "spec", "replicas"); n != 3.0 {
		t.Errorf("it has %v replicas, want them left at 3", n)
	}
	for _, e := range p.drifts(a, 0) {
		if strings.Contains(strings.Join(e.Findings, "\n"), "replicas") {
			t.Errorf("it is told: %+v", e)
		}
	}
	p.eventually("status says what is ignored", func() bool { // a look that does not come in time says nothing
		st, err := a.Status(t.Context(), []string{shop})
		p.must(err)
		i := st.Apps[0].Ignored
		return len(i) == 1 && i[0].Path == "spec.replicas" && i[0].Live == "3" && i[0].Rule == "the platform scales it"
	})
}
