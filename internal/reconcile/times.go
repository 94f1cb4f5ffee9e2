package reconcile

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"syncd.io/syncd/internal/schedule"
)

// untold is the time to the next poll where the repository is looked at only when
// a schedule, or somebody, says so.
const untold time.Duration = math.MaxInt64

// retryUntimed is the interval that pauses grow from after a poll without answer,
// where there is none for polls.
const retryUntimed = 30 * time.Second

// clockLook bounds a sleep until a time of day: a clock may be set meanwhile.
const clockLook = time.Minute

// keepTimes begins to look at the repository at the times of repo.schedule, until
// ctx ends.
func (a *Agent) keepTimes(ctx context.Context, loops *sync.WaitGroup) error {
	var times []schedule.Cron
	for _, text := range a.opts.Host.Repo.Schedule {
		c, err := schedule.Parse(text, "")
		if err != nil {
			return fmt.Errorf("read repo.schedule %q: %w", text, err)
		}
		times = append(times, c)
	}
	if len(times) > 0 {
		loops.Go(func() { a.wakeAt(ctx, times) })
	}
	return nil
}

// wakeAt wakes the loop at each of the times. Those that pass while the clock is
// put forward are one; where it is put back, they come again.
func (a *Agent) wakeAt(ctx context.Context, times []schedule.Cron) {
	last := a.opts.Now()
	for next := firstOf(times, last); !next.IsZero(); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(next.Sub(last), clockLook)):
		}
		now := a.opts.Now()
		if !now.Before(next) {
			wake(a.values) // nobody asks: between the times, polls become rarer all the same
			next = firstOf(times, now)
		} else if now.Before(last) {
			next = firstOf(times, now)
		}
		last = now
	}
}

// firstOf is the first of the times after t; zero where none comes any more.
func firstOf(times []schedule.Cron, t time.Time) time.Time {
	var first time.Time
	for _, c := range times {
		if next := c.Next(t); !next.IsZero() && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	return first
}
