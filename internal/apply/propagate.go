package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// propagate carries a replacement on to those who share something with what is
// replaced: a namespace dies with its container, `restart: true` asks for it.
// It goes from what is needed to what needs it, also when the plan goes
// backwards.
func (b *builder) propagate(forward []*group) {
	for _, g := range forward {
		for _, n := range g.needs {
			of := b.groups[n.Group]
			if of == nil || n.OnReplace == resource.OnReplaceNothing {
				continue
			}
			for _, s := range g.slots {
				s.follow(n, of)
			}
		}
	}
}

// follow lets s follow what happens to the group that it needs. An instance
// that is started again is still the same: who shares its namespace need only be
// started again too.
func (s *slot) follow(n resource.Need, of *group) {
	here := len(s.pair.Live) > 0 && !s.want().Once && !s.remade
	switch {
	case !here:
	case of.renewed() && n.OnReplace == resource.OnReplaceRecreate:
		s.move, s.because = replace, n.Group+" is replaced, and its namespace with it"
	case of.renewed() && (s.move == keep || s.move == mend):
		s.move, s.because = restart, n.Group+" is replaced"
	case of.restarts() && (s.move == keep || s.move == mend):
		s.move, s.because = restart, n.Group+" is started again"
	}
}

// renewed tells whether instances of the group give way to others.
func (g *group) renewed() bool {
	return slices.ContainsFunc(g.slots, func(s *slot) bool {
		return s.move == replace || s.remade && s.move == create || s.move == create && !g.live()
	})
}

// restarts tells whether an instance of the group is started again.
func (g *group) restarts() bool {
	return slices.ContainsFunc(g.slots, func(s *slot) bool { return s.move == start || s.move == restart })
}

// recreatedBy returns the groups that share g's namespace and are replaced: g's
// old side stays until they are.
func (b *builder) recreatedBy(g *group) []*group {
	var out []*group
	for _, other := range b.ordered {
		moves := slices.ContainsFunc(other.slots, func(s *slot) bool { return s.move == replace })
		shares := slices.ContainsFunc(other.needs, func(n resource.Need) bool {
			return n.Group == g.name && n.OnReplace == resource.OnReplaceRecreate
		})
		if moves && shares {
			out = append(out, other)
		}
	}
	return out
}

// markRemade finds the slots that stand on a network which must be made anew:
// they go down with it, and are created as if nothing had been there. A job that
// is done is not run again for that.
func (b *builder) markRemade() {
	for _, base := range b.slots {
		if base.want().Group != "" || base.move != replace {
			continue
		}
		for _, s := range b.slots {
			if s.remade || !s.standsOn(base.pair.Key) {
				continue
			}
			s.remade = true
			if !s.want().Once || s.move != keep {
				s.move, s.because = create, fmt.Sprintf("%s is made anew", base.pair.Key)
			}
		}
	}
}

// standsOn tells whether the slot's wanted or living side is on a network.
func (s *slot) standsOn(network resource.Key) bool {
	return s.want().Group != "" && (slices.Contains(s.want().Refs, network) ||
		slices.ContainsFunc(s.pair.Live, func(i resource.Instance) bool { return slices.Contains(i.Refs, network) }))
}
