package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// emitBase puts what containers stand on: networks and volumes. A network that
// differs must be made anew, and takes everything that is on it along.
func (b *builder) emitBase(forward []*group) {
	var remade []*slot
	for _, s := range b.slots {
		switch {
		case s.want().Group != "" || s.move == keep:
		case s.move == replace:
			remade = append(remade, s)
		default:
			s.puts = []int{b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), Cause: s.cause(), Changes: s.finding.Changes})}
			b.base = append(b.base, s.puts...)
		}
	}
	b.ground = slices.Clone(b.base)
	for _, s := range remade {
		b.remake(s, forward)
	}
}

// remake stops all that is on a network, those first that need others, and makes
// the network itself anew. What was stopped stays in its slot until the new side
// is proven: the new one takes over what it holds.
func (b *builder) remake(network *slot, forward []*group) {
	cause := fmt.Sprintf("%s is made anew", network.pair.Key)
	down := b.stopExtras(network.pair.Key, cause)
	for _, g := range slices.Backward(forward) {
		down = append(down, b.takeDown(g, network.pair.Key, cause)...)
	}
	var gone []int
	for _, old := range network.pair.Live {
		gone = append(gone, b.add(Step{Verb: Remove, Key: network.pair.Key, Ref: old.Ref, After: slices.Clone(down), Cause: network.cause(), Changes: network.finding.Changes}))
	}
	network.puts = []int{b.add(Step{Verb: Put, Key: network.pair.Key, Object: network.want(), After: gone, Cause: "made anew"})}
	b.base = append(b.base, network.puts...)
}

// takeDown stops those of g that stand on a network, once for all networks, and
// after those that need g.
func (b *builder) takeDown(g *group, network resource.Key, cause string) []int {
	var stops []Step
	for _, s := range g.slots {
		for _, inst := range s.pair.Live {
			if inst.Running && s.standsOn(network) {
				stops = append(stops, Step{Key: s.pair.Key, Ref: inst.Ref, Cause: cause})
			}
		}
	}
	return b.stopAll(stops, b.stopsOfDependents(g), cause)
}

// stopAll stops instances that the plan has not stopped yet, when they have left
// their routes, and returns the stops of all.
func (b *builder) stopAll(stops []Step, after []int, cause string) []int {
	fresh := slices.DeleteFunc(slices.Clone(stops), func(s Step) bool { return b.stops[s.Ref.ID] != 0 })
	own, foreign := b.vacate(fresh, cause, b.behind(after))
	after = slices.Concat(after, own, foreign)
	var ids []int
	for _, s := range stops {
		s.After = slices.Clone(after)
		ids = append(ids, b.stopOnce(s))
	}
	return ids
}

func (b *builder) stopsOfDependents(g *group) []int {
	var ids []int
	for _, other := range b.groups {
		if !slices.ContainsFunc(other.needs, func(n resource.Need) bool { return n.Group == g.name }) {
			continue
		}
		for _, s := range other.slots {
			for _, inst := range s.pair.Live {
				if id, stopped := b.stops[inst.Ref.ID]; stopped {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids
}

// stopExtras stops what is no longer wanted, will be pruned, and is on a network
// or may be.
func (b *builder) stopExtras(network resource.Key, cause string) []int {
	if !b.pruning() {
		return nil
	}
	var stops []Step
	for _, p := range b.extras {
		for _, inst := range p.Live {
			if holdsInstances(p) && inst.Running && (inst.Refs == nil || slices.Contains(inst.Refs, network)) {
				stops = append(stops, Step{Key: p.Key, Ref: inst.Ref, Cause: cause})
			}
		}
	}
	return b.stopAll(stops, nil, cause)
}

// stopOnce adds a stop, or returns the one that the plan has for this instance.
func (b *builder) stopOnce(s Step) int {
	if id, done := b.stops[s.Ref.ID]; done {
		return id
	}
	s.Verb = Stop
	id := b.add(s)
	b.stops[s.Ref.ID] = id
	return id
}

// policyOf returns the policy that a put of o goes by.
func (b *builder) policyOf(o *resource.Object) resource.Policy {
	if b.req.Back {
		return o.Rollback
	}
	return o.Policy
}

func (b *builder) policy(s *slot) resource.Policy { return b.policyOf(s.want()) }
