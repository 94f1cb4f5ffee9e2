package main

import (
	"syncd.io/syncd/internal/metrics"
	"syncd.io/syncd/internal/reconcile"
)

// knowing is who knows of apps without asking anybody: an agent, or several that take
// turns.
type knowing interface {
	Known() []reconcile.Known
	Places() reconcile.Places
	SourceSeen() bool
	Ready() bool
}

// facts says what an agent knows in the words of metrics.
type facts struct{ of knowing }

// Apps implements metrics.Apps.
func (f facts) Apps() []metrics.App {
	var all []metrics.App
	for _, k := range f.of.Known() {
		a := metrics.App{
			Name: k.App, Good: k.Good.Commit, Wanted: k.Wanted.Commit, GoodTime: k.Good.Time, WantedTime: k.Wanted.Time,
			Synced: k.Synced, Outcome: string(k.Outcome), Quarantined: k.Quarantined, Held: k.Held, Halted: k.Halted, Paused: k.Paused,
			Drift: map[string]int{}, Passes: map[string]uint64{}, Rollbacks: k.Rollbacks,
		}
		for class, n := range k.Drift {
			a.Drift[string(class)] = n
		}
		for outcome, n := range k.Passes {
			a.Passes[string(outcome)] = n
		}
		all = append(all, a)
	}
	return all
}

// Work implements metrics.Agent.
func (f facts) Work() metrics.Work {
	p := f.of.Places()
	return metrics.Work{
		Leads: f.of.Ready(), SourceSeen: f.of.SourceSeen(),
		Passes: map[string]int{"changing": p.Changing, "waiting": p.Waiting, "aside": p.Aside},
	}
}
