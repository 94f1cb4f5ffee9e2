package apply

import (
	"slices"

	"syncd.io/syncd/internal/resource"
)

// holding lets new connections of a group's route wait, each for as long as
// whoever comes next may take to be proven.
func (b *builder) holding(group string, to Traffic) *Traffic {
	to.Hold = true
	if g := b.groups[group]; g != nil && len(g.slots) > 0 {
		first := g.slots[0]
		to.Wait = resource.Duration(readyIn(first.want(), b.policy(first)) + b.policy(first).Monitor)
	}
	return &to
}

// holdFresh begins the routes that begin with this turn: connections wait for
// the slot's new side.
func (t *turn) holdFresh() []int {
	var ids []int
	for _, r := range t.group.routes {
		if r.routeBegins() {
			after := t.makeRoomFor(r, nil)
			r.puts = append(r.puts, t.step(Step{
				Verb: Put, Key: r.pair.Key, Object: r.want(), After: after, Traffic: t.holding(t.group.name, Traffic{In: t.beside(t.group, t.slot)}), Cause: "hold for " + t.slot.pair.Key.String(),
			}))
			ids = append(ids, r.puts[0])
		}
	}
	return ids
}

// holdEmpty lets new connections wait where nobody serves any more: a gate whose
// backends have ended would soon turn them away. It waits for nothing that takes long.
func (t *turn) holdEmpty() []int {
	var ids []int
	for _, r := range t.group.routes {
		if r.live() && !r.fresh() && len(r.puts) == 0 {
			r.puts = append(r.puts, t.add(Step{
				Verb: Put, Key: r.pair.Key, Object: r.want(), After: slices.Clone(t.ground), Traffic: t.holding(t.group.name, Traffic{}), Cause: "hold for " + t.slot.pair.Key.String(), Batch: t.batch,
			}))
			ids = append(ids, r.puts[0])
		}
	}
	return ids
}
