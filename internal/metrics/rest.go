package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// rest is what is known of the apps that have no label of their own, together.
type rest struct {
	App
	held, halted, paused int
	outcomes             map[string]int
}

// and adds an app; r may be nil.
func (r *rest) and(a App) *rest {
	if r == nil {
		r = &rest{App: App{Name: others, Drift: map[string]int{}, Passes: map[string]uint64{}}, outcomes: map[string]int{}}
	}
	r.Quarantined += a.Quarantined
	r.Rollbacks += a.Rollbacks
	for class, n := range a.Drift {
		r.Drift[class] += n
	}
	for outcome, n := range a.Passes {
		r.Passes[outcome] += n
	}
	if a.Outcome != "" {
		r.outcomes[a.Outcome]++
	}
	r.held += int(number(a.Held))
	r.halted += int(number(a.Halted))
	r.paused += int(number(a.Paused))
	r.Synced, r.GoodTime, r.WantedTime = earlier(r.Synced, a.Synced), earlier(r.GoodTime, a.GoodTime), earlier(r.WantedTime, a.WantedTime)
	return r
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tellRest tells how many of the others are in each state.
func (c *apps) tellRest(ch chan<- prometheus.Metric, r rest) {
	for outcome, n := range r.outcomes {
		ch <- gauge(c.outcome, float64(n), r.Name, outcome)
	}
	for desc, n := range map[*prometheus.Desc]int{c.held: r.held, c.halted: r.halted, c.paused: r.paused} {
		ch <- gauge(desc, float64(n), r.Name)
	}
	c.tellNumbers(ch, r.App)
}
