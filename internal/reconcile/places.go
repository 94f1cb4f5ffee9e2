package reconcile

import "context"

// How many apps are changed at once: on an engine, which does much of the work itself,
// and on a cluster, where a pass waits most of its time for what others do.
const (
	sideBySide   = 4
	sideBySideIn = 16
)

// places are as many as apps are changed at once.
func (o Options) places() int {
	if o.Host.Kubernetes != nil {
		return sideBySideIn
	}
	return sideBySide
}

// enter waits for a place among the passes that go on side by side.
func (p *pass) enter(ctx context.Context) error {
	p.work.Rest() // those before it give signs
	defer p.work.Sign()
	p.agent.waiting.Add(1)
	defer p.agent.waiting.Add(-1)
	if len(p.agent.slots) == cap(p.agent.slots) {
		p.why("waits for a place: %d passes are under way", cap(p.agent.slots))
	}
	if err := take(ctx, p.agent.slots); err != nil {
		return err
	}
	p.placed = true
	return nil
}

func (p *pass) leave() {
	if p.placed {
		<-p.agent.slots
		p.placed = false
	}
}

// aside runs do, which only waits, and lets others have the place meanwhile.
// Errors: also why ctx ended before there was one again.
func (p *pass) aside(ctx context.Context, do func() error) error {
	p.leave()
	p.work.Rest() // a soak gives signs all the same
	p.agent.aside.Add(1)
	err := do()
	p.agent.aside.Add(-1)
	if ended := p.enter(ctx); ended != nil {
		return ended
	}
	return err
}
