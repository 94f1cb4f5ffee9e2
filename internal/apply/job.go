package apply

import (
	"slices"

	"syncd.io/syncd/internal/resource"
)

// emitJob runs a one-shot to its end; what ran before with other input goes
// once the new run has succeeded. A job that is done keeps its container as
// evidence.
func (b *builder) emitJob(g *group) {
	entry := g.entry
	if g.slots[0].move != keep && g.before() != "" {
		entry = append(slices.Clone(entry), b.runDemand(g.before(), entry, "before "+g.name)...)
	}
	for _, s := range g.slots {
		switch {
		case s.move != keep:
			b.emitSlot(g, s, 1, entry)
		case b.req.AwaitAll && s.finding.InPlace():
			s.gates = []int{b.add(b.await(s, 0, entry))}
		}
	}
}

// runDemand runs an on-demand job anew and returns its awaits; nil where the
// set has no such job.
func (b *builder) runDemand(name string, after []int, cause string) []int {
	g := b.groups[name]
	if g == nil || !g.onDemand() {
		return nil
	}
	g.entry = append(slices.Clone(after), b.base...)
	b.waitForNeeds(g)
	var gates []int
	for _, s := range g.slots {
		wait := slices.Clone(g.entry)
		for _, old := range s.pair.Live {
			wait = append(wait, b.add(Step{Verb: Remove, Key: s.pair.Key, Ref: old.Ref, After: slices.Clone(g.entry), Cause: "its last run"}))
		}
		put := b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), After: wait, Cause: cause})
		gates = append(gates, b.add(Step{Verb: Await, Key: s.pair.Key, Object: s.want(), Made: put, After: []int{put}, Until: resource.Completed}))
	}
	return gates
}

// emitRun runs what a rollback asked for before anything is put back.
func (b *builder) emitRun() {
	for _, name := range b.req.Run {
		b.base = append(b.base, b.runDemand(name, nil, "asked for by onRollback")...)
	}
}
