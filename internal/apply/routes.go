package apply

import "slices"

// holdRoutes lets new connections of the group's published ports wait while
// nothing can answer them.
func (t *turn) holdRoutes() []int {
	var ids []int
	for _, r := range t.group.routes {
		ids = append(ids, t.step(Step{Verb: Put, Key: r.pair.Key, Object: r.want(), Cause: "hold for " + t.slot.pair.Key.String()}))
	}
	return ids
}

// switchRoutes lets the new instance in and drains the old one; the returned
// awaits end when it is drained, or at the limit. Without a route nothing is
// added to after.
func (b *builder) switchRoutes(g *group, s *slot, after []int) []int {
	if len(g.routes) == 0 {
		return after
	}
	var ids []int
	for _, r := range g.routes {
		ids = append(ids, b.putRoute(r, after, s.pair.Key.String()+" in", "drained"))
	}
	return ids
}

// putRoute adds a put of a route and returns its await.
func (b *builder) putRoute(r *slot, after []int, cause, until string) int {
	put := b.add(Step{Verb: Put, Key: r.pair.Key, Object: r.want(), After: slices.Clone(after), Cause: cause, Changes: r.finding.Changes})
	r.puts = append(r.puts, put)
	step := b.await(r, put, []int{put})
	step.Cause = until
	return b.add(step)
}

// emitRoutes puts the routes that differ and that no slot has put.
func (b *builder) emitRoutes(g *group) {
	for _, r := range g.routes {
		if r.move == keep || len(r.puts) > 0 {
			continue
		}
		after := g.gates()
		if len(after) == 0 {
			after = g.entry
		}
		r.gates = []int{b.putRoute(r, after, r.cause(), "")}
	}
}
