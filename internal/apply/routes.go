package apply

import "syncd.io/syncd/internal/resource"

// holdRoutes lets new connections of the group's published ports wait while
// nothing can answer them.
func (b *builder) holdRoutes(g *group, s *slot, after []int) []int {
	var ids []int
	for _, r := range g.routes {
		ids = append(ids, b.add(Step{Verb: Put, Key: r.pair.Key, Object: r.want(), After: after, Cause: "hold for " + s.pair.Key.String()}))
	}
	return ids
}

// switchRoutes lets the new instance in and drains the old one; the returned
// awaits end when it is drained, or at the limit.
func (b *builder) switchRoutes(g *group, s *slot, after []int) []int {
	var ids []int
	for _, r := range g.routes {
		put := b.add(Step{Verb: Put, Key: r.pair.Key, Object: r.want(), After: after, Cause: s.pair.Key.String() + " in"})
		ids = append(ids, b.add(Step{Verb: Await, Key: r.pair.Key, Object: r.want(), Made: put, After: []int{put}, Until: resource.Healthy, Cause: "drained"}))
	}
	return ids
}
