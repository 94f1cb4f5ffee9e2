package outbox

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pulse"
)

// The clocks of a courier.
const (
	first    = 2 * time.Second  // the pause after the first failure; each further one is twice as long,
	longest  = 10 * time.Minute // at most this
	patient  = 5                // failures, after which others are tried past the first of a queue
	stubborn = 20               // attempts that everything gets, whatever the clock says: two hours of them
	lifetime = 24 * time.Hour   // what is older is given up
	grace    = 3 * time.Second  // for what is under way as the agent ends
	attempt  = 30 * time.Second
	prompt   = time.Minute // for which no sign is given besides: the disk, and what an attempt has to tidy up
)

// Outcome is what became of an attempt.
type Outcome string

// The outcomes. Delivered, GivenUp and Refused end an item, Retried does not.
const (
	Delivered Outcome = "delivered"
	Retried   Outcome = "retried"
	Refused   Outcome = "refused"  // its receiver will never take it
	GivenUp   Outcome = "given up" // it has been tried for 24 hours
)

// Outcomes are all of them, in order.
func Outcomes() []Outcome { return []Outcome{Delivered, Retried, Refused, GivenUp} }

// Courier delivers what is queued under one topic, in order, one at a time. Where the
// receiver fails, it waits, longer each time. An item that alone is refused by a
// receiver who takes others lets these pass after five attempts.
type Courier struct {
	Box   *Box
	Topic string
	// Deliver makes one attempt. Its error is fault.Rejected where no other attempt
	// could do better; of After's it tells when.
	Deliver func(ctx context.Context, item Item) error
	// Limit is the deadline of one attempt, default 30s; Pause the least time between
	// two.
	Limit, Pause time.Duration
	// Heart gets signs of life: nothing that a receiver does lets them end, for each
	// attempt has its deadline. nil is nobody.
	Heart *pulse.Heart
	// Told hears what became of each attempt; err is nil where it arrived. It may be
	// called with an item without a Key, where the outbox itself cannot be used.
	Told func(item Item, what Outcome, err error)

	work *pulse.Work
}

// later is an error that tells when to try again.
type later struct {
	error
	pause time.Duration
}

// Unwrap returns the error itself.
func (l later) Unwrap() error { return l.error }

// After makes err say how long its receiver wants to be left alone: at least pause,
// of which more than an hour is not believed.
func After(err error, pause time.Duration) error {
	return later{err, max(0, min(pause, time.Hour))}
}

// Run delivers until ctx ends. What is under way then has three seconds to finish.
func (c Courier) Run(ctx context.Context) {
	bell := c.ring()
	c.work = c.Heart.Begin("the courier of "+c.Topic, c.limit()+prompt)
	defer c.work.End()
	failures := 0
	for ctx.Err() == nil {
		c.work.Sign()
		items, next, err := c.Box.Waiting(c.Topic, 2)
		pause := c.Pause
		switch {
		case err != nil:
			c.Told(Item{}, Retried, err)
			pause = longest
		case len(items) == 0:
			c.work.Rest()
			select {
			case <-bell:
			case <-until(next):
			case <-ctx.Done():
			}
			continue
		default:
			pause = max(pause, c.serve(ctx, items, &failures))
		}
		c.work.Rest()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// ring is the bell of the courier's topic.
func (c Courier) ring() chan struct{} {
	c.Box.mu.Lock()
	defer c.Box.mu.Unlock()
	return c.Box.bell(c.Topic)
}

// until fires at a time; never where that is zero.
func until(at time.Time) <-chan time.Time {
	if at.IsZero() {
		return nil
	}
	return time.After(time.Until(at))
}

// serve makes one attempt, for the first of the items that wait, or for the second
// to find out whether the first alone is refused; it returns how long to wait.
func (c Courier) serve(ctx context.Context, items []Item, failures *int) time.Duration {
	turn := 0
	if *failures >= patient && *failures%2 == 1 && len(items) > 1 {
		turn = 1
	}
	pause, ok := c.try(ctx, items[turn], *failures)
	if !ok {
		*failures++
		return pause
	}
	*failures = 0
	if turn == 1 { // the receiver is well: what has stood before this one waits by itself
		stuck := items[0]
		stuck.Due = time.Now().Add(longest)
		if err := c.Box.Again(c.Topic, stuck); err != nil {
			c.Told(stuck, Retried, err)
		}
	}
	return pause
}

// limit is Limit with its default.
func (c Courier) limit() time.Duration { return cmp.Or(c.Limit, attempt) }

// try makes one attempt at an item; ok is false where it has to be made again.
func (c Courier) try(ctx context.Context, item Item, failures int) (pause time.Duration, ok bool) {
	within, end := outlasting(ctx, c.limit())
	err := c.Deliver(within, item)
	end()
	var wait later
	pause = pauseAfter(failures)
	if errors.As(err, &wait) {
		pause = max(pause, wait.pause)
	}
	item.Attempts++
	switch {
	case err == nil:
		c.finish(ctx, item, Delivered, nil)
	case fault.Of(err) == fault.Rejected:
		c.finish(ctx, item, Refused, err)
	case item.Attempts >= stubborn && time.Since(item.Made) > lifetime:
		c.finish(ctx, item, GivenUp, err)
	case ctx.Err() != nil: // it was cut off, which is nobody's failure
		return pause, false
	default:
		c.Told(item, Retried, errors.Join(err, c.Box.Again(c.Topic, item)))
		return pause, false
	}
	return 0, true
}

// finish forgets an item, and then tells of it. Where the disk refuses, it goes on
// trying: what arrived is not sent again.
func (c Courier) finish(ctx context.Context, item Item, what Outcome, why error) {
	defer c.Told(item, what, why)
	for failures := 0; ; failures++ {
		c.work.Sign()
		err := c.Box.Done(c.Topic, item.ID)
		if err == nil {
			return
		}
		c.Told(Item{}, Retried, err)
		c.work.Rest()
		select {
		case <-time.After(pauseAfter(failures)):
		case <-ctx.Done():
			return
		}
	}
}

// pauseAfter is how long to wait after so many failures before this one, give or
// take a tenth: those who failed together do not come back together.
func pauseAfter(failures int) time.Duration {
	pause := longest
	if failures < 9 {
		pause = min(longest, first<<failures)
	}
	return pause - pause/10 + rand.N(pause/5)
}

// outlasting is a context with a deadline that outlasts the end of ctx for a moment.
func outlasting(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(within, func() { t.Stop() })
	})
	return within, func() { stop(); cancel() }
}
