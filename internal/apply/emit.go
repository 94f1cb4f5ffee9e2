package apply

import (
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
)

// emitGroup adds the steps of one group, batch by batch, behind what it needs.
func (b *builder) emitGroup(g *group) {
	if g.done || g.onDemand() || b.req.Back && g.job() {
		return
	}
	g.done = true
	b.describe(g)
	g.entry = append(g.entry, b.base...)
	b.waitForNeeds(g)
	if g.job() {
		b.emitJob(g)
		return
	}
	wait := g.entry
	for i, batch := range b.batches(g) {
		wait = b.emitBatch(g, batch, i+1, wait)
	}
}

// waitForNeeds adds the steps of the needed groups to g's entry: their puts for
// "started", their awaits for more. A rollback goes the other way round: what
// is needed follows those who need it, and waits for their puts only, because
// they cannot be healthy before it is.
func (b *builder) waitForNeeds(g *group) {
	if b.req.Back && g.live() {
		b.followDependents(g)
	}
	for _, n := range g.needs {
		of := b.groups[n.Group]
		if of == nil || b.req.Back && of.live() {
			continue
		}
		if n.Condition == resource.Started {
			g.entry = append(g.entry, of.puts()...)
		} else {
			g.entry = append(g.entry, of.gates()...)
		}
	}
}

func (b *builder) followDependents(g *group) {
	for _, other := range b.ordered {
		if other.live() && needsGroup(other, g.name) {
			g.entry = append(g.entry, other.puts()...)
		}
	}
}

func needsGroup(g *group, name string) bool {
	return slices.ContainsFunc(g.needs, func(n resource.Need) bool { return n.Group == name })
}

// batches cuts the slots that change into runs of the policy's parallelism. A
// group without a live instance starts all at once: there is nothing to spare.
func (b *builder) batches(g *group) [][]*slot {
	var still, moving []*slot
	for _, s := range g.slots {
		if s.move == keep {
			still = append(still, s)
		} else {
			moving = append(moving, s)
		}
	}
	var out [][]*slot
	if len(still) > 0 {
		out = append(out, still)
	}
	size := b.policy(g.slots[0]).Parallelism
	if size <= 0 || !g.live() {
		size = max(1, len(moving))
	}
	for chunk := range slices.Chunk(moving, size) {
		out = append(out, chunk)
	}
	return out
}

// emitBatch adds one batch and returns what the next one waits for.
func (b *builder) emitBatch(g *group, batch []*slot, number int, wait []int) []int {
	if batch[0].move == keep {
		for _, s := range batch {
			b.emitKept(s, wait)
		}
		return wait
	}
	next := slices.Clone(g.entry)
	for _, s := range batch {
		b.emitSlot(g, s, number, wait)
		next = append(next, s.gates...)
		next = append(next, s.gone...)
	}
	return next
}

// emitKept looks at what needs no change, and tidies what stands beside it.
func (b *builder) emitKept(s *slot, wait []int) {
	if b.req.AwaitAll {
		s.gates = []int{b.add(b.await(s, 0, wait))}
	}
	for _, o := range s.others() {
		b.drop(s, o, s.gates, "one is enough")
	}
}

// emitSlot adds the story of one slot that changes.
func (b *builder) emitSlot(g *group, s *slot, number int, wait []int) {
	if s.move == restart {
		stop := b.add(Step{Verb: Stop, Key: s.pair.Key, Ref: s.pair.Live[s.finding.Match].Ref, After: wait, Cause: s.why, Batch: number})
		wait = append(slices.Clone(wait), stop)
	}
	if s.fresh() && s.stopFirst {
		wait = append(slices.Clone(wait), b.stopOld(g, s, number, wait)...)
	}
	put := b.add(Step{
		Verb: Put, Key: s.pair.Key, Object: s.want(), Batch: number,
		After: slices.Concat(wait, s.early), Delay: b.delay(s, number),
		Cause: b.putCause(s), Changes: s.finding.Changes,
	})
	s.puts = []int{put}
	s.gates = []int{b.add(b.await(s, put, []int{put}))}
	s.gates = append(s.gates, b.switchRoutes(g, s, s.gates)...)
	b.retire(g, s)
}

// delay is the pause before every batch but the first.
func (b *builder) delay(s *slot, number int) time.Duration {
	if number > 1 {
		return b.policy(s).Delay
	}
	return 0
}

// stopOld stops the old side before the new one is put: the gap begins here.
func (b *builder) stopOld(g *group, s *slot, number int, wait []int) []int {
	var ids []int
	held := b.holdRoutes(g, s, wait)
	for _, o := range s.runningOthers() {
		id, early := b.stops[o.Ref.ID]
		if !early {
			id = b.add(Step{Verb: Stop, Key: s.pair.Key, Ref: o.Ref, After: append(slices.Clone(wait), held...), Batch: number, Cause: "stop-first: " + s.why})
		}
		ids = append(ids, id)
	}
	return ids
}

// retire removes the old side once the new one is proven, and gives the new one
// the resting name that the old one held. Where others share a namespace with
// the old side, it stays until they are replaced too.
func (b *builder) retire(g *group, s *slot) {
	others := s.others()
	if len(others) == 0 {
		return
	}
	dependents := b.recreatedBy(g)
	if len(dependents) == 0 {
		b.dropAll(s, others, s.gates)
		return
	}
	b.late = append(b.late, func() {
		after := slices.Clone(s.gates)
		for _, d := range dependents {
			after = append(after, d.gates()...)
		}
		b.dropAll(s, others, after)
	})
}

func (b *builder) dropAll(s *slot, others []resource.Instance, after []int) {
	for _, o := range others {
		b.drop(s, o, after, "replaced")
	}
	if s.move == replace && !s.stopFirst {
		b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), After: slices.Clone(s.gone), Cause: "resting name", Tidy: true})
	}
}

func (b *builder) drop(s *slot, o resource.Instance, after []int, cause string) {
	s.gone = append(s.gone, b.add(Step{Verb: Remove, Key: s.pair.Key, Ref: o.Ref, After: slices.Clone(after), Cause: cause, Tidy: true}))
}

func (b *builder) putCause(s *slot) string {
	cause := s.cause()
	if s.why != "" && !s.stopFirst {
		cause = s.why
	}
	return cause
}

// await looks at what put made, or at the instance that stays.
func (b *builder) await(s *slot, put int, after []int) Step {
	step := Step{Verb: Await, Key: s.pair.Key, Object: s.want(), Made: put, After: slices.Clone(after), Until: resource.Healthy, Innocent: b.innocent(s)}
	if s.want().Once {
		step.Until = resource.Completed
	}
	if put == 0 {
		step.Ref = s.pair.Live[s.finding.Match].Ref
	}
	return step
}
