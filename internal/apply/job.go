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
	if before := g.before(); before != "" && slices.ContainsFunc(g.slots, (*slot).begins) {
		if ran := b.runDemand(before, entry, "before "+g.name); len(ran) > 0 {
			entry = ran
		}
	}
	for _, s := range g.slots {
		switch {
		case s.move != keep:
			b.emitSlot(g, s, 1, entry)
		case b.req.AwaitAll && s.finding.InPlace() && len(s.pair.Live) > 0:
			s.gates = []int{b.add(b.await(s, 0, entry))}
		}
	}
}

// runDemand runs an on-demand job anew, once in a plan, and returns its awaits;
// nil where the set has no such job.
func (b *builder) runDemand(name string, after []int, cause string) []int {
	g := b.groups[name]
	if g == nil || !g.onDemand() {
		return nil
	}
	if !g.done {
		g.done = true
		b.emitNeeds(g)
		g.entry = slices.Clone(after)
		b.waitForNeeds(g)
		for _, s := range g.slots {
			s.gates = []int{b.runAnew(g, s, cause)}
		}
	}
	return g.gates()
}

// runAnew removes what is left of the last run and runs the job; the returned
// await ends when it has.
func (b *builder) runAnew(g *group, s *slot, cause string) int {
	wait := slices.Clone(g.entry)
	for _, old := range s.pair.Live {
		wait = append(wait, b.add(Step{Verb: Remove, Key: s.pair.Key, Ref: old.Ref, After: slices.Clone(g.entry), Cause: "its last run"}))
	}
	put := b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), After: wait, Soft: g.soft, Cause: cause})
	return b.add(Step{Verb: Await, Key: s.pair.Key, Object: s.want(), Made: put, After: []int{put}, Until: resource.Completed})
}

// emitRun runs what a rollback asked for before anything is put back.
func (b *builder) emitRun() {
	for _, name := range b.req.Run {
		if ran := b.runDemand(name, b.base, "asked for by onRollback"); len(ran) > 0 {
			b.base = ran
		}
	}
}
