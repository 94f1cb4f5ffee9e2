package apply

import "fmt"

// describe tells the story of a group: how it changes and why.
func (b *builder) describe(g *group) {
	if len(g.slots) == 0 {
		return
	}
	for _, unit := range g.units() {
		b.describeUnit(g, unit)
	}
}

// unit is what a reader counts as one thing.
type unit struct {
	name  string
	slots []*slot
}

// units are what is told of by itself: the group, or each of its slots that
// stands alone.
func (g *group) units() []unit {
	if !g.slots[0].pair.Alone {
		return []unit{{g.name, g.slots}}
	}
	var out []unit
	for _, s := range g.slots {
		out = append(out, unit{s.pair.Key.String(), []*slot{s}})
	}
	return out
}

func (b *builder) describeUnit(g *group, u unit) {
	svc := Service{Group: u.name, How: Unchanged, Of: len(u.slots)}
	for _, s := range u.slots {
		if s.move == keep {
			continue
		}
		svc.Slots++
		if svc.How == Unchanged || s.stopFirst && svc.How != HowStopFirst {
			svc.How, svc.Why = s.how(), s.reason()
			svc.Changes = s.finding.Changes
			svc.Canary = b.trial(g, s)
		}
	}
	b.plan.Services = append(b.plan.Services, svc)
	if b.req.Trial && svc.How == HowStopFirst && b.policy(u.slots[0]).Canary != nil {
		b.note("%s has no canary: nobody serves beside it, %s", u.name, svc.Why)
	}
}

func (s *slot) how() How {
	switch {
	case s.want().Once:
		return RunOnce
	case s.pair.Alone && s.move == replace:
		return MadeAnew
	case s.move == restart:
		return Restarted
	case s.stopFirst:
		return HowStopFirst
	case s.move == mend || s.move == start:
		return InPlace
	case s.move == create:
		return Fresh
	default:
		return HowStartFirst
	}
}

func (s *slot) reason() string {
	if s.stopFirst {
		return s.why
	}
	return s.cause()
}

// String prints the story in one line: "web: stop-first, 2 of 3 (port 80)".
func (s Service) String() string {
	line := fmt.Sprintf("%s: %s", s.Group, s.How)
	if s.How != Unchanged && s.How != Gone {
		line += fmt.Sprintf(", %d of %d", s.Slots, s.Of)
	}
	if s.Why != "" {
		line += " (" + s.Why + ")"
	}
	if s.Canary != nil {
		line += ", canary " + s.Canary.String()
	}
	return line
}
