package pack

import "time"

// A file that waits is looked at again after a pause: shortest at first, twice as long
// each time, longest at most; and rarer than that where a look takes long, for a pack
// may be large.
const (
	shortest = time.Second
	longest  = 5 * time.Minute
	rarely   = 3 // times as long as the look took
)

// waiting is what is remembered of a file that stays in the directory.
type waiting struct {
	// at is what it was when it was looked at: what becomes another is looked at anew.
	at   stamp
	told string
	// stays: it was taken or refused, and cannot be moved away.
	stays bool
	// behind is the latest receipt of this host where the file waits for another pack;
	// nil where it does not.
	behind *stamp
	pause  time.Duration
	due    time.Time
}

// become notes what the file is now.
func (w *waiting) become(now stamp) {
	if w.at != now {
		*w = waiting{at: now, told: w.told}
	}
}

// wake has the file looked at again now: something happened to it.
func (w *waiting) wake() { w.due, w.behind = time.Time{}, nil }

// later has the file, which was looked at since began, looked at after a pause from now.
func (w *waiting) later(began, now time.Time) {
	w.pause = min(max(shortest, 2*w.pause), longest)
	w.due = now.Add(max(w.pause, rarely*now.Sub(began)))
}

// wait is how long the file is left alone yet, where the latest receipt is this one;
// false where there is nothing to wait for.
func (w *waiting) wait(now time.Time, latest stamp) (time.Duration, bool) {
	switch {
	case w.stays, w.behind != nil && *w.behind == latest:
		return 0, false
	case w.behind != nil:
		return 0, true
	}
	return max(0, w.due.Sub(now)), true
}
