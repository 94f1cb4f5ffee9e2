package apply

import (
	"cmp"
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
)

// emitGroup adds the steps of one group, batch by batch, behind what it needs.
func (b *builder) emitGroup(g *group) {
	if g.done || g.onDemand() {
		return
	}
	if b.req.Back && g.job() {
		b.stepOver(g)
		return
	}
	g.done = true
	b.emitNeeds(g)
	b.describe(g)
	b.waitForNeeds(g)
	if g.job() {
		b.emitJob(g)
		return
	}
	b.emitKept(g)
	wait := g.entry
	for i, batch := range b.batches(g) {
		wait = b.emitBatch(g, batch, i+1, wait)
	}
	b.emitRoutes(g)
}

// stepOver leaves out a group of which nothing is done. What needs it comes behind
// what it needs itself, where that order is to be kept in every case.
func (b *builder) stepOver(g *group) {
	if slices.ContainsFunc(g.needs, func(n resource.Need) bool { return n.Always }) {
		g.done = true
		b.emitNeeds(g)
		b.waitForNeeds(g)
	}
}

// forward tells whether g waits for its need as a first deploy does. A rollback
// goes the other way round, but for what it must make from nothing, and for
// those whose namespace or connection ends with what they need.
func (b *builder) forward(n resource.Need) bool {
	of := b.groups[n.Group]
	switch {
	case of == nil:
		return false
	case n.Always:
		return true
	case !b.req.Back || !of.live() || n.OnReplace == resource.OnReplaceRecreate:
		return true
	default:
		return n.OnReplace == resource.OnReplaceRestart && (of.renewed() || of.restarts())
	}
}

func (b *builder) emitNeeds(g *group) {
	for _, n := range g.needs {
		if b.forward(n) {
			b.emitGroup(b.groups[n.Group])
		}
	}
}

// waitForNeeds fills g's entry: the needed groups' puts for "started", their
// awaits for more. What is not required must only have ended. What follows its
// dependents in a rollback waits for their puts only: they cannot be healthy
// before it is.
func (b *builder) waitForNeeds(g *group) {
	for _, n := range g.needs {
		switch of := b.groups[n.Group]; {
		case of == nil:
			b.note("%s needs %s, which is not there", g.name, n.Group)
		case !b.forward(n):
		case !n.Required:
			g.soft = append(g.soft, of.ready(n.Condition)...)
		default:
			g.entry = append(g.entry, of.met(n)...)
		}
	}
	if b.req.Back && g.live() {
		b.followDependents(g)
	}
	if len(g.entry) == 0 { // what is needed has waited for them
		g.entry = slices.Clone(b.base)
	}
}

func (b *builder) followDependents(g *group) {
	for _, other := range b.ordered {
		for _, n := range other.needs {
			if n.Group == g.name && !b.forward(n) {
				g.entry = append(g.entry, other.puts()...)
			}
		}
	}
}

// met are the steps after which a need on the group is met. Where nothing is done
// in the group and the order is to be kept in every case, these are what the group
// waits for itself: a need of a need is one, too.
func (g *group) met(n resource.Need) []int {
	ids := g.ready(n.Condition)
	if len(ids) == 0 && n.Always {
		return g.entry
	}
	return ids
}

// ready are the steps after which a need on the group is started, or more.
func (g *group) ready(c resource.Condition) []int {
	if c == resource.Started {
		return g.puts()
	}
	return g.gates()
}

// batches cuts the slots that change into runs of the policy's parallelism, the
// least useful first. A group without a live instance starts all at once: there
// is nothing to spare.
func (b *builder) batches(g *group) [][]*slot {
	var moving []*slot
	for _, s := range g.slots {
		if s.move != keep {
			moving = append(moving, s)
		}
	}
	if len(moving) == 0 {
		return nil
	}
	slices.SortStableFunc(moving, func(x, y *slot) int { return cmp.Compare(x.frailty(), y.frailty()) })
	size := b.policy(moving[0]).Parallelism
	if size <= 0 || !g.live() {
		size = len(moving)
	}
	return slices.Collect(slices.Chunk(moving, size))
}

// emitBatch adds one batch and returns what the next one waits for.
func (b *builder) emitBatch(g *group, batch []*slot, number int, wait []int) []int {
	var next []int
	for _, s := range batch {
		b.emitSlot(g, s, number, wait)
		next = append(next, s.last()...)
	}
	return next
}

func (b *builder) emitSlot(g *group, s *slot, number int, wait []int) {
	t := &turn{builder: b, group: g, slot: s, batch: number, after: wait, delay: b.delay(s, number)}
	if number == 1 {
		t.soft = g.soft
	}
	t.take()
}

// delay is the pause before every batch but the first.
func (b *builder) delay(s *slot, number int) time.Duration {
	if number > 1 {
		return b.policy(s).Delay
	}
	return 0
}

// emitKept looks at what needs no change.
func (b *builder) emitKept(g *group) {
	for _, s := range g.slots {
		if s.move == keep && b.req.AwaitAll {
			s.gates = []int{b.add(b.await(s, 0, g.entry))}
		}
	}
}
