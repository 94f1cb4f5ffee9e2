package apply

import (
	"fmt"
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
)

// turn is the story of one slot that changes: make room, put the new side,
// prove it, retire the old one. after, soft and delay are what the next step
// waits for.
type turn struct {
	*builder
	group *group
	slot  *slot
	batch int
	after []int
	soft  []int
	delay time.Duration
}

// step adds a step of the slot, or of another that makes room for it.
func (t *turn) step(s Step) int {
	s.After = slices.Concat(s.After, t.after)
	s.Soft, s.Delay, s.Batch = t.soft, resource.Duration(t.delay), t.batch
	return t.add(s)
}

// then lets the next steps wait for ids, which waited for all that was before.
func (t *turn) then(ids []int) {
	if len(ids) > 0 {
		t.after, t.soft, t.delay = ids, nil, 0
	}
}

func (t *turn) take() {
	t.makeRoom()
	s := t.slot
	put := t.step(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), Cause: s.cause(), Changes: s.finding.Changes})
	s.puts = []int{put}
	s.gates = []int{t.add(t.await(s, put, []int{put}))}
	if s.move != mend || len(s.runningOthers()) > 0 {
		t.tryOut()
		s.gates = t.switchRoutes(t.group, s, s.gates)
	}
	t.retire(t.group, s)
}

// makeRoom stops what must not run beside the new side: whoever else holds what
// it claims, and its own old side where that must go first. They leave their
// routes before.
func (t *turn) makeRoom() {
	leaving := t.leaving()
	empties := len(leaving) > 0
	for _, r := range t.slot.rivals {
		leaving = append(leaving, Step{Key: r.key, Ref: r.inst.Ref, Cause: fmt.Sprintf("%s needs its %s", t.slot.pair.Key, r.claim)})
	}
	var mine []Step // stops of this turn; the others are of turns before it
	var own, foreign []int
	for _, s := range leaving {
		switch id, done := t.stops[s.Ref.ID]; {
		case done:
			foreign = append(foreign, id)
		case !slices.ContainsFunc(mine, func(m Step) bool { return m.Ref.ID == s.Ref.ID }):
			mine = append(mine, s)
		}
	}
	left, before := t.vacate(mine, "hold for "+t.slot.pair.Key.String(), t.step)
	t.then(left)
	t.after = slices.Concat(t.after, before)
	for _, s := range mine {
		s.Verb = Stop
		t.stops[s.Ref.ID] = t.step(s)
		own = append(own, t.stops[s.Ref.ID])
	}
	t.then(own)
	t.after = slices.Concat(t.after, foreign)
	switch {
	case t.slot.pair.Alone:
		t.then(t.clear())
	case empties:
		t.then(t.holdFresh())
	case !t.group.live():
		t.after = slices.Concat(t.after, t.holdEmpty())
	}
}

// clear removes what is in a slot that has room for one.
func (t *turn) clear() []int {
	var ids []int
	for _, old := range t.slot.others() {
		ids = append(ids, t.step(Step{Verb: Remove, Key: t.slot.pair.Key, Ref: old.Ref, Cause: t.slot.cause(), Changes: t.slot.finding.Changes}))
	}
	return ids
}

// leaving are the stops of the slot's own old side.
func (t *turn) leaving() []Step {
	s := t.slot
	var out []Step
	if s.pair.Alone {
		return nil
	}
	if s.move == restart {
		if old := s.pair.Live[s.finding.Match]; old.Running {
			out = append(out, Step{Key: s.pair.Key, Ref: old.Ref, Cause: s.because})
		}
	}
	if s.fresh() && s.stopFirst {
		for _, o := range s.runningOthers() {
			out = append(out, Step{Key: s.pair.Key, Ref: o.Ref, Cause: "stop-first: " + s.why})
		}
	}
	return out
}

// retire removes the old side once the new one is proven. Where others share a
// namespace with the old side, it stays until they are replaced too.
func (b *builder) retire(g *group, s *slot) {
	if len(s.others()) == 0 || s.pair.Alone {
		return
	}
	dependents := b.recreatedBy(g)
	if len(dependents) == 0 {
		b.dropOthers(s, s.gates)
		return
	}
	b.late = append(b.late, func() {
		after := slices.Clone(s.gates)
		for _, d := range dependents {
			after = append(after, d.gates()...)
		}
		b.dropOthers(s, after)
	})
}

// dropOthers removes the old side and, where it ran beside the new one, gives
// the new one the resting name that it held.
func (b *builder) dropOthers(s *slot, after []int) {
	if len(s.runningOthers()) > 0 {
		own, foreign := b.closeRoutes(s.want().Group, b.behind(after))
		after = slices.Concat(after, own, foreign)
	}
	cause := "replaced"
	if s.move == mend {
		cause = "one is enough"
	}
	beside := len(s.runningOthers()) > 0 && !s.stopFirst
	for _, o := range s.others() {
		s.gone = append(s.gone, b.add(Step{Verb: Remove, Key: s.pair.Key, Ref: o.Ref, After: slices.Clone(after), Cause: cause, Tidy: true}))
	}
	if beside {
		b.add(Step{Verb: Put, Key: s.pair.Key, Object: s.want(), After: slices.Clone(s.gone), Cause: "resting name", Tidy: true})
	}
}

// await looks at what put made, or at the instance that stays.
func (b *builder) await(s *slot, put int, after []int) Step {
	step := Step{Verb: Await, Key: s.pair.Key, Object: s.want(), Made: put, After: slices.Clone(after), Until: resource.Healthy, Innocent: b.innocent(s)}
	if s.want().Once {
		step.Until = resource.Completed
	}
	if put == 0 {
		step.Ref = s.pair.Live[s.finding.Match].Ref
	}
	return step
}

// last are the steps that end the slot's turn.
func (s *slot) last() []int {
	if len(s.gone) > 0 {
		return s.gone
	}
	return s.gates
}
