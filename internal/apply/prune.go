package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// emitPrune removes what is ours and no longer wanted, last of all: instances,
// then what they stood on. Data goes only with consent that names it.
func (b *builder) emitPrune() {
	if !b.req.Prune || b.overBudget() {
		return
	}
	after := b.allGates()
	var removed []int
	for _, p := range b.extras {
		if holdsInstances(p) {
			removed = append(removed, b.pruneOne(p, after)...)
		}
	}
	after = append(slices.Clone(after), removed...)
	for _, p := range b.extras {
		switch {
		case holdsInstances(p):
		case p.Kept && !b.req.Consented:
			b.plan.Consents = append(b.plan.Consents, fmt.Sprintf("remove %s with its data", p.Key))
		default:
			b.pruneOne(p, after)
		}
	}
}

// holdsInstances tells containers from what they stand on.
func holdsInstances(p resource.Pair) bool { return p.Group != "" }

func (b *builder) pruneOne(p resource.Pair, after []int) []int {
	var ids []int
	for _, inst := range p.Live {
		wait := slices.Clone(after)
		if id, stopped := b.stops[inst.Ref.ID]; stopped {
			wait = append(wait, id)
		}
		ids = append(ids, b.add(Step{Verb: Remove, Key: p.Key, Ref: inst.Ref, After: wait, Cause: "no longer wanted", Tidy: true}))
	}
	return ids
}

func (b *builder) allGates() []int {
	var ids []int
	for _, g := range b.ordered {
		ids = append(ids, g.gates()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// budget is how many groups may vanish in one plan without a person's word, or
// half of those that are live, whichever is more.
const budget = 3

// overBudget refuses to prune everything, or more than the budget, without
// consent: a repository that was emptied by mistake looks just like that.
func (b *builder) overBudget() bool {
	if b.req.Consented {
		return false
	}
	vanished, live := b.vanished()
	if vanished == 0 {
		return false
	}
	if len(b.slots) > 0 && vanished <= max(budget, live/2) {
		return false
	}
	b.plan.Consents = append(b.plan.Consents, fmt.Sprintf("remove %d of %d services", vanished, live))
	return true
}

// vanished counts the live groups, and those of them that nothing wants.
func (b *builder) vanished() (gone, live int) {
	seen := map[string]bool{}
	for _, p := range b.req.Pairs {
		name := p.Group
		if name == "" || len(p.Live) == 0 || seen[name] {
			continue
		}
		seen[name] = true
		live++
		if b.groups[name] == nil {
			gone++
		}
	}
	return gone, live
}
