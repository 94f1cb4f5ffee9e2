package reconcile

import (
	"context"
	"sync"
	"time"
)

// rounds are an app's loop. Nobody goes them while there is no reason to: of a thousand
// apps that rest each would keep a stack.
type rounds struct {
	// wake is poked when somebody wants a pass, stirred when something happened on the
	// target.
	wake    chan struct{}
	stirred chan struct{}

	turns sync.Mutex // guards what follows
	// begin lets somebody go the rounds; nil before the agent follows the app. It tells
	// whether somebody does.
	begin func() bool
	// up tells that somebody does.
	up bool
	// due tells that the app was left alone for long enough, timer when it is; nil before
	// the first pass.
	due   bool
	timer *time.Timer
}

func newRounds() rounds {
	return rounds{wake: make(chan struct{}, 1), stirred: make(chan struct{}, 1)}
}

// attend lets the app be passed over from now on, first of all at once.
func (r *rounds) attend(begin func() bool) {
	r.turns.Lock()
	r.begin = begin
	r.turns.Unlock()
	r.rouse()
}

// retire lets nobody pass over the app by itself any more.
func (r *rounds) retire() {
	r.turns.Lock()
	defer r.turns.Unlock()
	r.begin = nil
	if r.timer != nil {
		r.timer.Stop()
	}
}

// rouse asks for a pass. It does not block.
func (r *rounds) rouse() {
	wake(r.wake)
	r.rise()
}

// stir says that something happened on the target. It does not block.
func (r *rounds) stir() {
	wake(r.stirred)
	r.rise()
}

// rise lets somebody go the rounds, where nobody does.
func (r *rounds) rise() {
	r.turns.Lock()
	defer r.turns.Unlock()
	if r.up || r.begin == nil {
		return
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	r.up = r.begin()
}

// overdue asks for a pass that nobody else asked for.
func (r *rounds) overdue() {
	r.turns.Lock()
	r.due = true
	r.turns.Unlock()
	r.rise()
}

// lie ends the rounds until something wakes the app, or pause is over; false where
// something has.
func (r *rounds) lie(pause time.Duration) bool {
	r.turns.Lock()
	defer r.turns.Unlock()
	if r.due || len(r.wake)+len(r.stirred) > 0 {
		return false
	}
	r.up = false
	if r.timer == nil {
		r.timer = time.AfterFunc(pause, r.overdue)
	} else {
		r.timer.Reset(pause)
	}
	return true
}

// wasDue tells whether the app was left alone for long enough, and begins anew.
func (r *rounds) wasDue() bool {
	r.turns.Lock()
	defer r.turns.Unlock()
	due := r.due
	r.due = false
	return due
}

// loop passes over the app for as long as there is a reason to: something woke it, a
// retry is due, or it was left alone for a while.
func (w *worker) loop(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-w.wake:
			w.wasDue()
			w.why("passed over: somebody woke it")
		case <-w.stirred:
			w.wasDue()
			w.why("passed over: something happened on the target")
			w.rest(ctx)
		default:
			if !w.wasDue() {
				if w.lie(w.untilLook(w.pause())) {
					return
				}
				continue
			}
			w.why("passed over: nobody woke it for a while")
		}
		if ctx.Err() == nil {
			w.turn(ctx)
		}
	}
}

// crew are those who go the rounds of all apps, until the agent ends.
type crew struct {
	mu    sync.Mutex // guards ended
	ended bool
	hands sync.WaitGroup
}

// begin runs do, beside the caller; false where the crew has ended.
func (c *crew) begin(do func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.hands.Go(do)
	}
	return !c.ended
}

// end waits for all who are under way, and lets nobody begin any more.
func (c *crew) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.hands.Wait()
}
