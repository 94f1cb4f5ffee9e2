package kube_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/state"
)

// Drift before, at, and after the end of an agent that leads is one incident each for
// whoever takes over: nothing is lost, what was open is not opened again, and of what
// people heard nothing is repeated but what was not noted yet.
func TestIncidentsOutlastWhoLeads(t *testing.T) {
	p, hears := newPlace(t), &hearer{}
	c := newCrew(p, hears.listen(t), "secrets", 2)
	for app, heal := range map[string]string{shop: "{}", kept: "{selfHeal: false}"} {
		p.settingsOf(app, "rollout: {soak: 0s, timeout: 60s}\nsync: "+heal+"\n")
		p.deployApp(app, strings.ReplaceAll(clientApp, "APP", app))
	}
	c.sit(0)
	p.eventually("all is applied and told", func() bool { return len(p.appliedIn(hears)) == 2 })
	c.sit(1)
	var noted uint64
	p.eventually("that is noted", func() bool { noted = c.noted(); return noted > 0 })
	kinds := clients()[:5]
	kinds[0].do(p, kept) // it is open all the time
	kinds[1].do(p, shop)
	p.eventually("the first drift is told", func() bool {
		heard := hears.times()
		return heard[kept+"#1 drift-opened"] > 0 && heard[shop+"#1 drift-resolved"] > 0
	})
	noted = c.noted()
	hears.away.Store(true)
	kinds[2].do(p, shop)
	p.eventually("the second is on record", func() bool { return len(c.incident(shop, 2)) == 2 })
	c.kill(0)
	c.moves(0) // nothing is left of it but the record
	kinds[3].do(p, shop)
	hears.away.Store(false)
	p.eventually("the third is found by the other", func() bool {
		lines, err := c.history(shop)
		return err == nil && len(of(lines, shop, 3)) == 2
	})
	p.edit("configmaps", kept, object{"data": object{"edited": "good"}})
	p.eventually("all is told", func() bool {
		heard := hears.times()
		return heard[kept+"#1 drift-resolved"] > 0 && heard[shop+"#2 drift-resolved"] > 0 && heard[shop+"#3 drift-resolved"] > 0
	})
	for app, n := range map[string]int{shop: 3, kept: 1} {
		for i := range n {
			if lines := c.incident(app, i+1); len(lines) != 2 || lines[0].Outcome != "opened" || lines[1].Outcome != "resolved" {
				t.Errorf("%s#%d is on record as %+v", app, i+1, lines)
			}
		}
		if lines := c.incident(app, n+1); len(lines) > 0 {
			t.Errorf("there is more: %+v", lines)
		}
	}
	facts, _ := hears.all()
	for i, f := range facts {
		if again := slices.ContainsFunc(facts[:i], func(o heard) bool { return o.ID == f.ID && o.Event == f.Event }); again && f.ID <= noted {
			t.Errorf("it was noted that it is told, and it is told again: %+v", f)
		}
	}
}

// appliedIn are the apps that people heard to be applied.
func (p *place) appliedIn(h *hearer) []string {
	facts, _ := h.all()
	var apps []string
	for _, f := range facts {
		if f.Event == "applied" && !slices.Contains(apps, f.App) {
			apps = append(apps, f.App)
		}
	}
	return apps
}

// noted is up to where the record says that people were told; zero where it does not.
func (c *crew) noted() (id uint64) {
	err := c.inCluster(func(record *state.Cluster) (err error) {
		var to map[string]uint64
		if id, to, _, err = record.Told(); err == nil && to["hook"] == 0 {
			err = errors.New("nobody noted how far the channel was told")
		}
		return err
	})
	if err != nil {
		return 0
	}
	return id
}

// of are the lines of one incident.
func of(lines []state.Entry, app string, number int) []state.Entry {
	return slices.DeleteFunc(lines, func(e state.Entry) bool {
		return e.Kind != "drift" || e.Incident != state.IncidentID(app, number)
	})
}
