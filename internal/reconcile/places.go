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

// sideBySide is how many apps are changed at once.
func (o Options) sideBySide() int {
	if o.Host.Kubernetes != nil {
		return sideBySideIn
	}
	return sideBySide
}

// places are had by so many passes at a time. Who comes back from a wait goes before
// who begins: what it has put is not on record as good before that.
type places struct {
	all int

	mu  sync.Mutex // guards what follows
	had int
	// back and begin are who waits for one, in their order.
	back, begin []chan struct{}
}

// take waits for a place. Errors: why ctx ended.
func (s *places) take(ctx context.Context, again bool) error {
	turn, mine := s.queue(again)
	if mine {
		return nil
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	same := func(c chan struct{}) bool { return c == turn }
	if s.back, s.begin = slices.DeleteFunc(s.back, same), slices.DeleteFunc(s.begin, same); closed(turn) {
		s.next()
	}
	return context.Cause(ctx)
}

// queue takes a place where there is one, else the last of those who wait: turn is
// closed when it has one.
func (s *places) queue(again bool) (turn chan struct{}, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.had < s.all {
		s.had++
		return nil, true
	}
	turn = make(chan struct{})
	if again {
		s.back = append(s.back, turn)
	} else {
		s.begin = append(s.begin, turn)
	}
	return turn, false
}

// leave gives a place to whoever is next.
func (s *places) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next()
}

// next gives away a place that was had. The caller holds the lock.
func (s *places) next() {
	queue := &s.back
	if len(s.back) == 0 {
		queue = &s.begin
	}
	if len(*queue) == 0 {
		s.had--
		return
	}
	close((*queue)[0])
	*queue = slices.Delete(*queue, 0, 1)
}

// taken is how many have a place.
func (s *places) taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.had
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// enter waits for a place among the passes that go on side by side: for the first
// time, or again.
func (p *pass) enter(ctx context.Context, again bool) error {
	p.work.Rest() // those before it give signs
	defer p.work.Sign()
	p.agent.waiting.Add(1)
	defer p.agent.waiting.Add(-1)
	if all := p.agent.places.all; p.agent.places.taken() == all {
		p.why("waits for a place: %d passes are under way", all)
	}
	if err := p.agent.places.take(ctx, again); err != nil {
		return err
	}
	p.placed = true
	return nil
}

func (p *pass) leave() {
	if p.placed {
		p.agent.places.leave()
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
