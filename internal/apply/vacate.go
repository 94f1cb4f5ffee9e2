package apply

import (
	"maps"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// vacate takes instances that are about to stop out of the routes that serve
// them; new connections wait where nobody is left. add adds a step where it
// belongs. Both returned lists end when what they had begun is finished: own are
// steps that were added, foreign such as the plan had.
func (b *builder) vacate(leaving []Step, cause string, add func(Step) int) (own, foreign []int) {
	byGroup := map[string][]resource.Ref{}
	for _, s := range leaving {
		if group := b.groupOf[s.Ref.ID]; s.Key.Kind != routeKind {
			byGroup[group] = append(byGroup[group], s.Ref)
		}
	}
	for _, group := range slices.Sorted(maps.Keys(byGroup)) {
		for _, r := range b.routesOf(group) {
			if r.routeBegins() {
				continue
			}
			if ids, have := b.left(r, byGroup[group]); have {
				foreign = append(foreign, ids...)
				continue
			}
			put := add(Step{Verb: Put, Key: r.pair.Key, Object: r.want(), After: slices.Concat(b.ground, r.begun()), Traffic: b.holding(group, Traffic{Out: byGroup[group]}), Cause: cause})
			r.puts = append(r.puts, put)
			own = append(own, b.awaitRoute(r, put, "drained"))
		}
		closed, before := b.closeRoutes(group, add)
		own, foreign = append(own, closed...), append(foreign, before...)
	}
	return own, foreign
}

// left returns the steps after which all of refs have left the route; have tells
// whether the plan lets them.
func (b *builder) left(r *slot, refs []resource.Ref) (ids []int, have bool) {
	for _, ref := range refs {
		i := slices.IndexFunc(b.plan.Steps, func(s Step) bool {
			return s.Key == r.pair.Key && s.Traffic != nil && slices.Contains(s.Traffic.Out, ref)
		})
		if i < 0 {
			return nil, false
		}
		ids = append(ids, b.plan.Steps[i].ID+1) // its await
	}
	return ids, true
}

// closeRoutes stops the group's routes that nothing wants any more, before those
// whom they serve go.
func (b *builder) closeRoutes(group string, add func(Step) int) (own, foreign []int) {
	for _, p := range b.extras {
		for _, live := range p.Live {
			if p.Key.Kind != routeKind || p.Group != group || !live.Running {
				continue
			}
			if id, stopped := b.stops[live.Ref.ID]; stopped {
				foreign = append(foreign, id)
				continue
			}
			b.stops[live.Ref.ID] = add(Step{Verb: Stop, Key: p.Key, Ref: live.Ref, Cause: "no longer wanted"})
			own = append(own, b.stops[live.Ref.ID])
		}
	}
	return own, foreign
}
