package reconcile

import (
	"context"
	"slices"
	"sync"
)

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

// places are those of the passes that go on side by side. Who comes back to one that it
// gave away comes before who has not begun: else, where a thousand apps change, all of
// them would be under way at once, and none at its end before the last has begun.
type places struct {
	most int

	mu    sync.Mutex // guards what follows
	taken int
	back  []chan struct{} // of who comes back, the first first; closed once there is a place
	fresh []chan struct{} // of who has not begun
}

// take waits for a place, or gives up with the context.
func (s *places) take(ctx context.Context, back bool) error {
	turn := s.queue(back)
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		s.leave(turn)
		return context.Cause(ctx)
	}
}

// queue returns what is closed once there is a place.
func (s *places) queue(back bool) chan struct{} {
	turn := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.taken < s.most:
		s.taken++
		close(turn)
	case back:
		s.back = append(s.back, turn)
	default:
		s.fresh = append(s.fresh, turn)
	}
	return turn
}

// leave gives a turn up, and the place where there was one already.
func (s *places) leave(turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, queue := range []*[]chan struct{}{&s.back, &s.fresh} {
		if i := slices.Index(*queue, turn); i >= 0 {
			*queue = slices.Delete(*queue, i, i+1)
			return
		}
	}
	s.pass()
}

// give gives a place back.
func (s *places) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
}

// pass hands a place to whoever is next. The caller holds the lock.
func (s *places) pass() {
	queue := &s.back
	if len(s.back) == 0 {
		queue = &s.fresh
	}
	if len(*queue) == 0 {
		s.taken--
		return
	}
	close((*queue)[0])
	*queue = slices.Delete(*queue, 0, 1)
}

// inUse is how many are taken.
func (s *places) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// enter waits for a place among the passes that go on side by side; back tells that the
// pass had one before.
func (p *pass) enter(ctx context.Context, back bool) error {
	p.work.Rest() // those before it give signs
	defer p.work.Sign()
	p.agent.waiting.Add(1)
	defer p.agent.waiting.Add(-1)
	if most := p.agent.places.most; p.agent.places.inUse() == most {
		p.why("waits for a place: %d passes are under way", most)
	}
	if err := p.agent.places.take(ctx, back); err != nil {
		return err
	}
	p.placed = true
	return nil
}

func (p *pass) leave() {
	if p.placed {
		p.agent.places.give()
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
	if ended := p.enter(ctx, true); ended != nil {
		return ended
	}
	return err
}
