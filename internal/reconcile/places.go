package reconcile

import "context"

// sideBySide is how many apps are changed at once.
const sideBySide = 4

// enter waits for a place among the passes that go on side by side.
func (p *pass) enter(ctx context.Context) error {
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
	err := do()
	if ended := p.enter(ctx); ended != nil {
		return ended
	}
	return err
}
