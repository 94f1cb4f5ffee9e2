package apply

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// group is the slots that roll out together.
type group struct {
	name  string
	slots []*slot
	// routes are the published ports whose traffic follows the group's slots.
	routes []*slot
	needs  []resource.Need
	// entry are steps that everything in the group waits for; soft are those that
	// must only have ended, however.
	entry, soft []int
	// done tells that the group's steps are in the plan.
	done bool
}

func (g *group) all(of func(*slot) []int) []int {
	var ids []int
	for _, s := range g.slots {
		ids = append(ids, of(s)...)
	}
	return ids
}

func (g *group) puts() []int  { return g.all(func(s *slot) []int { return s.puts }) }
func (g *group) gates() []int { return g.all(func(s *slot) []int { return s.gates }) }

// last are the steps that end the group's turn, its routes' among them.
func (g *group) last() []int {
	ids := g.all((*slot).last)
	for _, r := range g.routes {
		ids = append(ids, r.gates...)
	}
	return ids
}

func (g *group) job() bool { return len(g.slots) > 0 && g.slots[0].want().Once }

// before is the on-demand job that runs before this one.
func (g *group) before() string {
	if !g.job() || g.slots[0].want().Job == nil {
		return ""
	}
	return g.slots[0].want().Job.Before
}

func (g *group) onDemand() bool {
	if !g.job() {
		return false
	}
	j := g.slots[0].want().Job
	return j != nil && j.OnDemand
}

// live tells whether any instance of the group runs when its turn comes.
func (g *group) live() bool { return slices.ContainsFunc(g.slots, (*slot).live) }

func (b *builder) collectGroups() {
	for _, s := range b.slots {
		o := s.want()
		if o.Group == "" {
			continue
		}
		g := b.groups[o.Group]
		if g == nil {
			g = &group{name: o.Group}
			b.groups[o.Group] = g
		}
		if o.Key.Kind == routeKind {
			g.routes = append(g.routes, s)
			continue
		}
		g.slots = append(g.slots, s)
		g.needs = union(g.needs, o.Needs)
	}
}

func union(a, b []resource.Need) []resource.Need {
	for _, n := range b {
		if !slices.Contains(a, n) {
			a = append(a, n)
		}
	}
	return a
}

// order returns the groups so that each comes after what it needs, by name
// where nothing else decides. A cycle is Rejected, with its members.
func (b *builder) order() ([]*group, error) {
	var out []*group
	state := map[string]int{} // 1: on the way down, 2: done
	var visit func(name string, path []string) error
	visit = func(name string, path []string) error {
		g, wanted := b.groups[name]
		if !wanted || state[name] == 2 {
			return nil
		}
		path = append(path, name)
		if state[name] == 1 {
			err := fmt.Errorf("services need each other in a circle: %s", strings.Join(path, " -> "))
			return fault.Hint(fault.As(fault.Rejected, err), "remove one of these depends_on")
		}
		state[name] = 1
		for _, n := range b.edges(g) {
			if err := visit(n, path); err != nil {
				return err
			}
		}
		state[name] = 2
		out = append(out, g)
		return nil
	}
	for _, name := range sortedNames(b.groups) {
		if err := visit(name, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// edges are the groups that must be in the plan before g: what it needs and
// the jobs that run before it.
func (b *builder) edges(g *group) []string {
	var names []string
	for _, n := range g.needs {
		names = append(names, n.Group)
	}
	if before := g.before(); before != "" {
		names = append(names, before)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func sortedNames(groups map[string]*group) []string {
	names := make([]string, 0, len(groups))
	for n := range groups {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
