package reconcile

import (
	"maps"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Known is what the agent knows of an app by itself: of its record, its last pass, and
// what it has counted since it began. The engine is not asked.
type Known struct {
	App string
	// Good is the revision that runs, or is to be put back, since GoodSince; zero before
	// the first. Wanted is what the repository asks for; zero where that is unknown, or
	// it asks for nothing.
	Good, Wanted source.Revision
	GoodSince    time.Time
	// Outcome is that of the last pass; empty before the first.
	Outcome Outcome
	// Synced is when a pass last ended with what is wanted running, and healthy; before
	// this agent's first, when the good revision became so. Zero is never.
	Synced time.Time
	// Quarantined are the sets that stay out.
	Quarantined          int
	Held, Halted, Paused bool
	// Drift is how many objects differ from the good revision, by how.
	Drift map[drift.Class]int
	// Passes are those that ended, by outcome. Rollbacks of them put the good revision
	// back.
	Passes    map[Outcome]uint64
	Rollbacks uint64
}

// learnt is what a worker has learnt from its passes, beside the record.
type learnt struct {
	synced    time.Time
	passes    map[Outcome]uint64
	rollbacks uint64
}

// Known returns what is known of each app, in name order, without a question to anybody.
func (a *Agent) Known() []Known {
	c := a.catalog.Load()
	workers, err := a.known(nil)
	if err != nil { // asking for all names none that could be unknown
		return nil
	}
	var all []Known
	for _, w := range present(c, workers) {
		all = append(all, w.facts(c))
	}
	return all
}

func (w *worker) facts(c *catalog) Known {
	w.mu.Lock()
	rec, l := w.seen, w.learnt
	passes := maps.Clone(l.passes)
	w.mu.Unlock()
	k := Known{
		App: w.name, Outcome: Outcome(rec.Last.Outcome), Synced: l.synced,
		Quarantined: len(rec.Quarantine), Held: rec.Held != nil || rec.Last.Outcome == string(Held), Halted: rec.Halted != "",
		Paused: rec.Released || paused(rec, w.agent.opts.Now()) != nil, Drift: classesOf(rec), Passes: passes, Rollbacks: l.rollbacks,
	}
	if rec.Good != nil {
		k.Good, k.GoodSince = rec.Good.Revision, rec.Good.Since
		if k.Synced.IsZero() {
			k.Synced = k.GoodSince
		}
	}
	if c != nil {
		if _, wanted := c.apps[w.name]; wanted {
			k.Wanted = c.snapshot.Revision
		}
	}
	return k
}

// learns notes what a pass has shown.
func (p *pass) learns(res Result) {
	p.worker.mu.Lock()
	defer p.worker.mu.Unlock()
	l := &p.worker.learnt
	if l.passes == nil {
		l.passes = map[Outcome]uint64{}
	}
	l.passes[res.Outcome]++
	switch res.Outcome {
	case Applied, Unchanged:
		l.synced = res.Started.Add(res.Duration.D())
	case RolledBack:
		l.rollbacks++
	}
}

// classesOf is how many objects differ, by how, as the incident that is open says.
func classesOf(rec state.Record) map[drift.Class]int {
	n := map[drift.Class]int{}
	if rec.Incident == nil {
		return n
	}
	for class, count := range rec.Incident.Classes {
		n[drift.Class(class)] = count
	}
	return n
}

// SourceSeen tells whether the last look at the repository showed what it asks for.
func (a *Agent) SourceSeen() bool { return a.sourceErr.Load() == nil && a.catalog.Load() != nil }

// Places are how many passes are where.
type Places struct {
	// Changing have a place among those that go on side by side, Waiting want one, and
	// Aside gave theirs away while they pull or soak.
	Changing, Waiting, Aside int
}

// Places tells how many passes are under way.
func (a *Agent) Places() Places {
	return Places{Changing: a.places.taken(), Waiting: int(a.waiting.Load()), Aside: int(a.aside.Load())}
}
