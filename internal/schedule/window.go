package schedule

import (
	"fmt"
	"time"
)

// Window is a time that comes again and again. While it lasts changes are allowed,
// or denied.
type Window struct {
	Allow bool
	Start Cron
	// Length is how long it lasts from each start, as a stopwatch counts, whatever
	// clocks do meanwhile.
	Length time.Duration
	// Heal lets drift be repaired although the window holds changes back: a deny
	// window while it lasts, an allow window while it does not.
	Heal bool
}

// String is the window in a sentence: deny "0 8 * * 1-5" UTC for 10h.
func (w Window) String() string {
	kind := "deny"
	if w.Allow {
		kind = "allow"
	}
	return fmt.Sprintf("%s %s for %s", kind, w.Start, length(w.Length))
}

// length is a duration without its zeros.
func length(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0 && d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.String()
}

// lasts tells whether t is within the window: at its start it is, at its end no
// more.
func (w Window) lasts(t time.Time) bool {
	start := w.Start.Next(t.Add(-w.Length))
	return !start.IsZero() && !start.After(t)
}

// manyStarts bounds how many starts are followed of a window that begins again
// before it ends.
const manyStarts = 50

// turns is when the window may begin or end next after t; zero where it does not.
func (w Window) turns(t time.Time) time.Time {
	start := w.Start.Next(t.Add(-w.Length))
	if start.IsZero() || start.After(t) {
		return start
	}
	for range manyStarts {
		next := w.Start.Next(start)
		if next.IsZero() || next.After(start.Add(w.Length)) {
			break
		}
		start = next
	}
	return start.Add(w.Length)
}
