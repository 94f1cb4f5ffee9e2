package apply

import (
	"fmt"

	"syncd.io/syncd/internal/resource"
)

// propagate carries a replacement on to those who share something with what is
// replaced: a namespace dies with its container, `restart: true` asks for it.
func (b *builder) propagate() {
	for _, g := range b.forward() {
		for _, n := range g.needs {
			of := b.groups[n.Group]
			if of == nil || !of.changed() {
				continue
			}
			b.follow(g, n)
		}
	}
}

// forward is the order in which a change spreads: from what is needed to what
// needs it, also when the plan itself goes backwards.
func (b *builder) forward() []*group {
	ordered, err := b.order()
	if err != nil { // arrange has already refused a circle
		return nil
	}
	return ordered
}

func (b *builder) follow(g *group, n resource.Need) {
	for _, s := range g.slots {
		if s.want().Once {
			continue
		}
		switch {
		case n.OnReplace == resource.OnReplaceRecreate && s.move != create:
			s.move, s.why = replace, n.Group+" is replaced, and its namespace with it"
		case n.OnReplace == resource.OnReplaceRestart && s.move == keep && len(s.pair.Live) > 0:
			s.move, s.why = restart, n.Group+" is replaced"
		}
	}
}

// recreated tells whether another group's slots are replaced because g's are:
// then g's old side stays until they are.
func (b *builder) recreatedBy(g *group) []*group {
	var out []*group
	for _, other := range b.ordered {
		for _, n := range other.needs {
			if n.Group == g.name && n.OnReplace == resource.OnReplaceRecreate && g.changed() {
				out = append(out, other)
			}
		}
	}
	return out
}

// emitBase puts what containers stand on: networks and volumes. A network that
// differs must be made anew, and takes everything that is on it along.
func (b *builder) emitBase() {
	for _, s := range b.slots {
		if s.want().Group != "" {
			continue
		}
		switch s.move {
		case create, mend, start:
			b.base = append(b.base, b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), Cause: s.cause(), Changes: s.finding.Changes}))
		case replace:
			b.remake(s)
		}
	}
}

// remake takes down all that is on a network, the network itself, and puts it
// back; the slots on it are then created as if nothing had been there.
func (b *builder) remake(network *slot) {
	var removed []int
	for _, g := range reversed(b.forward()) {
		for _, s := range g.slots {
			if refersTo(s.want(), network.pair.Key) {
				removed = append(removed, b.takeDown(s, network.pair.Key)...)
			}
		}
	}
	old := network.pair.Live[0].Ref
	gone := b.add(Step{Verb: Remove, Key: network.pair.Key, Ref: old, After: removed, Cause: network.cause(), Changes: network.finding.Changes})
	b.base = append(b.base, b.add(Step{Verb: Put, Key: network.pair.Key, Object: network.want(), After: []int{gone}, Cause: "made anew"}))
}

func (b *builder) takeDown(s *slot, network resource.Key) []int {
	cause := fmt.Sprintf("%s is made anew", network)
	if s.want().Once && s.move == keep {
		cause = fmt.Sprintf("its container stands on %s, which is made anew", network)
	}
	var removed []int
	for _, inst := range s.pair.Live {
		after := []int{}
		if inst.Running {
			after = append(after, b.add(Step{Verb: Stop, Key: s.pair.Key, Ref: inst.Ref, Cause: cause}))
		}
		removed = append(removed, b.add(Step{Verb: Remove, Key: s.pair.Key, Ref: inst.Ref, After: after, Cause: cause}))
	}
	s.pair.Live = nil
	if s.move != keep || !s.want().Once {
		s.move, s.why, s.stopFirst, s.early = create, cause, false, nil
	}
	return removed
}

func refersTo(o *resource.Object, key resource.Key) bool {
	for _, r := range o.Refs {
		if r == key {
			return true
		}
	}
	return false
}

func reversed(groups []*group) []*group {
	out := make([]*group, 0, len(groups))
	for i := len(groups) - 1; i >= 0; i-- {
		out = append(out, groups[i])
	}
	return out
}
