package apply

// describe tells the story of a group: how it changes and why.
func (b *builder) describe(g *group) {
	svc := Service{Group: g.name, How: Unchanged, Of: len(g.slots)}
	for _, s := range g.slots {
		if s.move == keep {
			continue
		}
		svc.Slots++
		if svc.How == Unchanged || s.stopFirst {
			svc.How, svc.Why = s.how(), s.reason()
			svc.Changes = s.finding.Changes
		}
	}
	b.plan.Services = append(b.plan.Services, svc)
}

func (s *slot) how() How {
	switch {
	case s.want().Once:
		return RunOnce
	case s.move == restart:
		return Restarted
	case s.move == mend || s.move == start && !s.stopFirst:
		return InPlace
	case s.stopFirst:
		return HowStopFirst
	case s.move == create:
		return Fresh
	default:
		return HowStartFirst
	}
}

func (s *slot) reason() string {
	if s.why != "" {
		return s.why
	}
	return s.cause()
}
