package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// tryOut gives the slot's new side its share of what is new, and watches it,
// where it has to go through a trial. The old side still serves the rest.
func (t *turn) tryOut() {
	canary := t.trial(t.group, t.slot)
	if canary == nil || t.batch > 1 {
		return
	}
	s, share := t.slot, t.share(canary)
	var puts []int
	for _, r := range t.group.routes {
		put := t.add(Step{
			Verb: Put, Key: r.pair.Key, Object: r.want(), After: s.gates, Changes: r.finding.Changes,
			Traffic: &Traffic{Made: s.puts, Share: share}, Cause: fmt.Sprintf("%s in for %d%%", s.pair.Key, share),
		})
		r.puts, puts = append(r.puts, put), append(puts, put)
	}
	watch := t.await(s, s.puts[0], puts)
	watch.For = resource.Duration(canary.For)
	s.gates = []int{t.add(watch)}
}

// share is the slot's part of the share, which is its whole batch's.
func (t *turn) share(c *resource.Canary) int {
	return max(1, c.Share/len(t.batches(t.group)[0]))
}

// trial is the canary that the slot's new side has to go through; nil where none
// is asked for, where no old side serves beside it, or where some slots of the
// group are of the new version already.
func (b *builder) trial(g *group, s *slot) *resource.Canary {
	canary := b.policy(s).Canary
	proven := slices.ContainsFunc(g.slots, func(o *slot) bool { return o.move == keep })
	begins := slices.ContainsFunc(g.routes, (*slot).fresh)
	if canary == nil || !b.req.Trial || s.stopFirst || proven || begins || len(g.routes) == 0 || !g.live() {
		return nil
	}
	return canary
}
