package render

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"syncd.io/syncd/internal/fault"
)

// How many requests one child may be given. A few cost less than another start; many
// would take them from whoever gets the next place.
const (
	fewest = 16
	most   = 64
)

// queue is who waits for a child. Whoever finds a free place goes at once and alone.
// The others wait, and whoever gets the next free place takes with it what waits for
// the same snapshot. Where such a batch ends badly, the app that was being rendered is
// rendered again alone, in a place for those, and judged by that; the ones behind it
// wait again. So no app is blamed for another one, and none stops the others.
type queue struct {
	mu       sync.Mutex
	waiting  []*task // the oldest first
	suspects []*task // who is to be rendered alone
	// busy are the places that are taken, judging those of suspects.
	busy, judging int
}

// place is one of the queue's; judge tells that it is for suspects.
type place struct {
	judge bool
	// now is what is worked on there.
	now *batch
}

// places is how many there are of each kind.
func places() int { return max(2, runtime.GOMAXPROCS(0)) }

// enter adds a task, and calls begin where somebody has to begin to work in a place.
func (q *queue) enter(t *task, begin func(*place)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	q.fill(begin)
}

// fill takes a free place for what waits.
func (q *queue) fill(begin func(*place)) {
	if len(q.waiting) > 0 && q.busy < places() {
		q.busy++
		begin(&place{})
	}
}

// leave gives a task up. When nobody waits for the task's child any more, it returns
// after that has ended.
func (q *queue) leave(t *task) {
	q.mu.Lock()
	t.left = true
	same := func(o *task) bool { return o == t }
	q.waiting, q.suspects = slices.DeleteFunc(q.waiting, same), slices.DeleteFunc(q.suspects, same)
	b := t.batch
	unwanted := b != nil && !b.wanted()
	q.mu.Unlock()
	if unwanted {
		b.cancel(errUnwanted)
		<-b.ended
	}
}

// next returns what the place is to work on; nil where nothing waits, and the place is
// free again.
func (q *queue) next(p *place, cancel context.CancelCauseFunc) *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := &batch{cancel: cancel, ended: make(chan struct{})}
	p.now = nil
	switch {
	case p.judge && len(q.suspects) > 0:
		b.tasks, q.suspects = q.suspects[:1:1], q.suspects[1:]
	case p.judge:
		q.judging--
		return nil
	case len(q.waiting) > 0:
		b.tasks = q.take()
	default:
		q.busy--
		return nil
	}
	for _, t := range b.tasks {
		t.batch = b
	}
	p.now = b
	return b
}

// take takes the oldest task out of those that wait, and a fair share of those that
// wait for the same snapshot.
func (q *queue) take() []*task {
	shared := q.waiting[0].req.Shared
	same := func(t *task) bool { return t.req.Shared == shared }
	count := 0
	for _, t := range q.waiting {
		if same(t) {
			count++
		}
	}
	share := min(most, max(fewest, (count+places()-1)/places()))
	var taken []*task
	q.waiting = slices.DeleteFunc(q.waiting, func(t *task) bool {
		if len(taken) == share || !same(t) {
			return false
		}
		taken = append(taken, t)
		return true
	})
	return taken
}

// answered settles the next task of a batch. The error ends the child.
func (q *queue) answered(b *batch, answer Answer, err error) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.answered == len(b.tasks) {
		return errors.New("render gave more answers than it was asked for")
	}
	b.tasks[b.answered].settle(answer, err)
	if b.answered++; b.answered < len(b.tasks) && !b.wanted() {
		return errUnwanted
	}
	return nil
}

// finish puts back, or settles, what a child that ended with err did not answer, and
// calls begin where somebody has to begin to work in a place.
func (q *queue) finish(b *batch, err error, begin func(*place)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(b.ended)
	rest := b.tasks[b.answered:]
	if len(b.tasks) == 1 || fault.Of(err) == fault.Blocked { // no app is why a child is missing
		for _, t := range rest {
			t.settle(Answer{}, err)
		}
		return
	}
	var again []*task
	for i, t := range rest {
		t.batch = nil
		switch {
		case t.left:
		case i == 0:
			q.suspects = append(q.suspects, t)
		default:
			again = append(again, t)
		}
	}
	q.waiting = slices.Concat(again, q.waiting)
	q.fill(begin)
	if len(q.suspects) > 0 && q.judging < places() {
		q.judging++
		begin(&place{judge: true})
	}
}

// yield makes a place one for suspects, where one of these is free and it still works
// on b, and calls begin where somebody has to begin to work in the place that it
// leaves.
func (q *queue) yield(p *place, b *batch, begin func(*place)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if p.now == b && !p.judge && q.judging < places() {
		p.judge = true
		q.judging++
		q.busy--
		q.fill(begin)
	}
}
