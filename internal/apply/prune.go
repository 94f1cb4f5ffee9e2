package apply

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// emitPrune removes what is ours and no longer wanted, last of all: instances,
// then what they stood on. Data goes only with consent that names it.
func (b *builder) emitPrune() {
	if !b.req.Prune {
		return
	}
	if b.overBudget() {
		gone, live := b.vanished()
		b.plan.Consents = append(b.plan.Consents, fmt.Sprintf("remove %d of %d %s: %s", len(gone), live, b.counted(), strings.Join(gone, ", ")))
		b.askForData()
		return
	}
	after := b.allGates()
	var removed []int
	closed := slices.Clone(after) // routes first: nobody new comes to what goes
	for _, p := range b.extras {
		if p.Key.Kind == routeKind {
			closed = append(closed, b.pruneOne(p, after)...)
		}
	}
	for _, p := range b.extras {
		if holdsInstances(p) && p.Key.Kind != routeKind {
			removed = append(removed, b.pruneOne(p, b.drain(p, closed))...)
			b.tellGone(p)
		}
	}
	for _, s := range b.slots {
		if usurped(s.pair, s.finding) {
			removed = append(removed, b.pruneOne(resource.Pair{Key: s.pair.Key, Live: s.runningOthers()}, closed)...)
		}
	}
	if len(removed) > 0 { // they have waited for the gates
		after = removed
	}
	for _, p := range b.extras {
		switch {
		case holdsInstances(p):
		case p.Kept && !b.req.Consented:
		default:
			b.pruneOne(p, after)
		}
	}
	b.askForData()
}

// askForData names the data that nothing wants any more. A way back asks for
// nothing: what stays is asked for when the app is good again.
func (b *builder) askForData() {
	if b.req.Consented || b.req.Back {
		return
	}
	for _, p := range b.extras {
		if p.Kept {
			b.plan.Consents = append(b.plan.Consents, fmt.Sprintf("remove %s with its data", p.Key))
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

// tellGone books a pruned slot in the story of its group.
func (b *builder) tellGone(p resource.Pair) {
	if p.Key.Kind == routeKind {
		return
	}
	i := slices.IndexFunc(b.plan.Services, func(s Service) bool { return s.Group == unitOf(p) })
	if i < 0 {
		i = len(b.plan.Services)
		b.plan.Services = append(b.plan.Services, Service{Group: unitOf(p), How: Gone, Why: "no longer wanted"})
	}
	svc := &b.plan.Services[i]
	svc.Slots++
	if svc.How == Unchanged {
		svc.How, svc.Why = InPlace, "fewer instances are wanted"
	}
}

func (b *builder) allGates() []int {
	var ids []int
	for _, g := range b.ordered {
		ids = append(ids, g.last()...)
	}
	if len(ids) == 0 { // what has a gate has waited for them
		ids = slices.Clone(b.base)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// budget is how many groups may vanish in one plan without a person's word, or
// half of those that are live, whichever is more.
const budget = 3

// pruning tells whether what is no longer wanted goes in this plan.
func (b *builder) pruning() bool { return b.req.Prune && !b.overBudget() }

// overBudget refuses to prune everything, or more than the budget, without
// consent: a repository that was emptied by mistake looks just like that.
func (b *builder) overBudget() bool {
	if b.req.Consented || b.req.Undo {
		return false
	}
	vanished, live := b.vanished()
	if len(b.groups) == 0 {
		return len(b.extras) > 0
	}
	return len(vanished) > max(budget, live/2)
}

// unitOf names what a budget counts: the group, or the slot itself where it
// stands alone; empty for what is not counted.
func unitOf(p resource.Pair) string {
	if p.Alone {
		return p.Key.String()
	}
	return p.Group
}

// counted says what the budget counts.
func (b *builder) counted() string {
	if slices.ContainsFunc(b.req.Pairs, func(p resource.Pair) bool { return p.Alone }) {
		return "objects"
	}
	return "services"
}

// vanished counts the live groups, and names those of them that nothing wants.
func (b *builder) vanished() (gone []string, live int) {
	seen := map[string]bool{}
	for i, p := range b.req.Pairs {
		name := unitOf(p)
		if name == "" || len(p.Live) == 0 || seen[name] || b.req.Report.Findings[i].Class == drift.Foreign {
			continue
		}
		seen[name] = true
		live++
		if p.Alone && p.Want == nil || !p.Alone && b.groups[name] == nil {
			gone = append(gone, name)
		}
	}
	return gone, live
}
