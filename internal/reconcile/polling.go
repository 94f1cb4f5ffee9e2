package reconcile

import (
	"math/rand/v2"
	"time"

	"syncd.io/syncd/internal/fault"
)

// The pauses between two polls of a repository that does not answer grow up to
// slowest times the interval; beyond lastPoll they do not.
const (
	slowest  = 4
	lastPoll = 2 * time.Minute
)

// missed counts the polls in a row that got no answer.
func (a *Agent) missed(misses int) int {
	if err := a.sourceErr.Load(); err != nil && fault.Of(*err) == fault.Unreachable {
		return misses + 1
	}
	return 0
}

// untilPoll is the time to the next poll, after so many that got no answer, or after
// nothing has changed for so long. The jitter keeps many hosts from asking a server
// that comes back all at once.
func (a *Agent) untilPoll(misses int, quiet time.Duration) time.Duration {
	interval := a.opts.Host.Repo.Interval.D()
	switch {
	case interval == 0 && misses == 0:
		return untold
	case interval == 0: // a time that was missed is made up for
		interval = retryUntimed
	case misses == 0:
		return pace(quiet, interval, a.opts.Host.Repo.MaxInterval.D())
	}
	pause := min(interval<<min(misses-1, 2), max(interval, lastPoll))
	return pause + rand.N(pause/4+1)
}

// calm is how many times longer nothing has changed than the pause between two polls
// is: a change after a silence is seen with a delay that nobody minds.
const calm = 60

// pace is the pause between two polls after nothing has changed for so long.
func pace(quiet, least, most time.Duration) time.Duration {
	return max(least, min(quiet/calm, most))
}

// refusal is a revision whose apps could not be found. The renderer would spend
// all that it may use on it again at each poll.
type refusal struct {
	commit string
	err    error
	at     time.Time
}

// refused is the error that the revision was refused with; nil where it has to be
// looked at: it is another one, somebody asked, or it is time for a full look.
func (a *Agent) refused(commit string) error {
	last := a.refusal.Load()
	if last == nil || last.commit != commit || a.opts.Now().Sub(last.at) >= a.opts.Resync {
		return nil
	}
	return last.err
}

// refuse keeps err where the revision is to blame for it.
func (a *Agent) refuse(commit string, err error) {
	if fault.Of(err) == fault.Rejected {
		a.refusal.Store(&refusal{commit, err, a.opts.Now()})
	}
}

// Forgetter is a Source or Charts that does not load again at once what it refused.
type Forgetter interface {
	// Forget lets it be loaded again.
	Forget()
}

// askAnew lets be looked at again what was refused: somebody asks.
func (a *Agent) askAnew() {
	a.refusal.Store(nil)
	wake(a.stir)
	if source, ok := a.opts.Source.(Forgetter); ok {
		source.Forget()
	}
	if charts, ok := a.opts.Charts.(Forgetter); ok {
		charts.Forget()
	}
}
