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
	holders []holder
	stops   map[string]int // instance ID -> the step that stops it early
	base    []int          // puts of networks and volumes: everything waits for them
	late    []func()       // removals that wait for groups further down
	plan    Plan
}

// NewPlan decides what to do about the report, without I/O. It fails with a
// Rejected error where the wanted set contradicts itself: two slots claim one
// thing, services need each other in a circle.
func NewPlan(req Request) (Plan, error) {
	b := &builder{
		req:    req,
		byKey:  map[resource.Key]*slot{},
		groups: map[string]*group{},
		stops:  map[string]int{},
	}
	b.sort()
	if b.block() {
		return b.plan, nil
	}
	if err := checkClaims(b.slots); err != nil {
		return Plan{}, err
	}
	b.collectGroups()
	if err := b.arrange(); err != nil {
		return Plan{}, err
	}
	b.settle()
	b.emit()
	return b.plan, nil
}

// sort separates wanted slots from extras.
func (b *builder) sort() {
	for i, p := range b.req.Pairs {
		if p.Want == nil {
			b.extras = append(b.extras, p)
			continue
		}
		s := newSlot(p, b.req.Report.Findings[i])
		b.slots = append(b.slots, s)
		b.byKey[p.Key] = s
	}
}

// block finds what forbids any step: something foreign in a slot of ours, or
// data that would have to be thrown away.
func (b *builder) block() bool {
	for _, f := range b.req.Report.Findings {
		if f.Class == drift.Foreign {
			b.plan.Blocked = append(b.plan.Blocked, fmt.Sprintf("%s is %s", f.Key, f.Reason))
		}
	}
	for _, s := range b.slots {
		if s.pair.Kept && s.move == replace {
			b.plan.Blocked = append(b.plan.Blocked, fmt.Sprintf(
				"%s differs from what is live (%s), and making it anew would make it empty", s.pair.Key, s.cause()))
		}
	}
	return len(b.plan.Blocked) > 0
}

func (b *builder) arrange() error {
	ordered, err := b.order()
	if err != nil {
		return err
	}
	if b.req.Back {
		ordered = backwards(ordered)
	}
	b.ordered = ordered
	return nil
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

// settle decides how each slot changes; it needs all slots to be known.
func (b *builder) settle() {
	b.findHolders()
	b.propagate()
	b.settleClaims()
}

func (b *builder) emit() {
	b.emitBase()
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
	b.plan.Steps = append(b.plan.Steps, s)
	return s.ID
}

func (b *builder) policy(s *slot) resource.Policy {
	if b.req.Back {
		return s.want().Rollback
	}
	return s.want().Policy
}

// innocent tells whether the slot was failing before this attempt.
func (b *builder) innocent(s *slot) bool {
	return s.move == keep && b.req.Before[s.pair.Key].State == resource.Failed
}
