package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// routeKind is the kind of the objects that say where traffic goes.
const routeKind = "route"

// builder holds what is decided while a plan is made.
type builder struct {
	req     Request
	slots   []*slot
	extras  []resource.Pair
	byKey   map[resource.Key]*slot
	groups  map[string]*group
	ordered []*group
	stops   map[string]int    // instance ID -> the step that stops it
	groupOf map[string]string // instance ID -> the group that it belongs to
	base    []int             // puts of networks and volumes: everything waits for them
	ground  []int             // those of base that nothing stops for: a route may have a name there
	late    []func()          // removals that wait for groups further down
	plan    Plan
}

// NewPlan decides what to do about the report, without I/O. It fails with a
// Rejected error where the wanted set contradicts itself: two slots claim one
// thing, services need each other in a circle.
func NewPlan(req Request) (Plan, error) {
	b := &builder{
		req:     req,
		byKey:   map[resource.Key]*slot{},
		groups:  map[string]*group{},
		stops:   map[string]int{},
		groupOf: map[string]string{},
		plan:    Plan{Steps: []Step{}},
	}
	b.sort()
	b.block()
	if err := checkClaims(b.slots); err != nil {
		return Plan{}, err
	}
	b.collectGroups()
	forward, err := b.order()
	if err != nil {
		return Plan{}, err
	}
	b.settle(forward)
	if len(b.plan.Blocked) > 0 {
		return b.plan, nil
	}
	b.emit(forward)
	return b.plan, nil
}

// sort separates wanted slots from extras.
func (b *builder) sort() {
	for i, p := range b.req.Pairs {
		f := b.req.Report.Findings[i]
		for _, live := range p.Live {
			b.groupOf[live.Ref.ID] = p.Group
		}
		switch {
		case p.Want != nil:
			s := newSlot(p, f)
			b.slots = append(b.slots, s)
			b.byKey[p.Key] = s
		case f.Class == drift.Foreign:
			b.note("%s is left alone: %s", p.Key, f.Reason)
		case b.req.Undo && b.knew(p.Key):
			b.note("%s stays: it was there before the attempt", p.Key)
		default:
			b.extras = append(b.extras, p)
		}
	}
}

func (b *builder) note(format string, args ...any) {
	b.plan.Notes = append(b.plan.Notes, fmt.Sprintf(format, args...))
}

// block finds what forbids any step: something foreign in a slot of ours, or
// data that would have to be thrown away.
func (b *builder) block() {
	for _, s := range b.slots {
		switch {
		case s.finding.Class == drift.Foreign:
			b.plan.Blocked = append(b.plan.Blocked, fmt.Sprintf("%s is %s", s.pair.Key, s.finding.Reason))
		case s.pair.Kept && s.pair.Alone && s.move == replace && !b.req.Consented:
			anew := fmt.Sprintf("remove %s with its data, and make it anew (%s)", s.pair.Key, s.cause())
			b.plan.Consents = append(b.plan.Consents, anew)
			b.plan.Blocked = append(b.plan.Blocked, "consent is missing: "+anew)
		case s.pair.Kept && !s.pair.Alone && s.move == replace:
			b.plan.Blocked = append(b.plan.Blocked, fmt.Sprintf(
				"%s differs from what is live (%s), and making it anew would make it empty", s.pair.Key, s.cause()))
		}
	}
}

// settle decides how each slot changes, and in which order the groups do.
func (b *builder) settle(forward []*group) {
	b.markRemade()
	b.propagate(forward)
	b.settleClaims()
	b.ordered = forward
	if b.req.Back {
		b.ordered = backwards(forward)
	}
}

// backwards puts the groups that a rollback must make from nothing first, in
// forward order, and the others behind them in reverse order.
func backwards(forward []*group) []*group {
	var missing, rest []*group
	for _, g := range forward {
		if g.live() {
			rest = append(rest, g)
		} else {
			missing = append(missing, g)
		}
	}
	slices.Reverse(rest)
	return append(missing, rest...)
}

func (b *builder) emit(forward []*group) {
	b.emitBase(forward)
	b.emitRun()
	for _, g := range b.ordered {
		b.emitGroup(g)
	}
	for _, removal := range b.late {
		removal()
	}
	b.emitPrune()
}

func (b *builder) add(s Step) int {
	s.ID = len(b.plan.Steps) + 1
	slices.Sort(s.After)
	s.After = slices.Compact(s.After)
	if s.Object != nil {
		s.Policy = b.policyOf(s.Object)
	}
	if r := b.byKey[s.Key]; s.Traffic != nil && r != nil && r.finding.Match != drift.None {
		s.Traffic.Of = r.pair.Live[r.finding.Match].Ref
	}
	b.plan.Steps = append(b.plan.Steps, s)
	return s.ID
}

// knew tells whether something was live in the slot before the attempt.
func (b *builder) knew(key resource.Key) bool {
	before, live := b.req.Before[key]
	return live && before.State != resource.Absent
}

// innocent tells whether the slot was not well before this attempt, or cannot be
// told to have been: one that nothing probes and that has been restarted may
// just be between two crashes.
func (b *builder) innocent(s *slot) bool {
	before, live := b.req.Before[s.pair.Key]
	if s.move != keep || !live {
		return false
	}
	return before.State == resource.Failed || before.State == resource.Progressing ||
		before.Check == CheckRunning && before.Restarts > 0
}
