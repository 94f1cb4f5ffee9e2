package reconcile

import (
	"time"

	"syncd.io/syncd/internal/pulse"
)

// For how long nobody need give a sign of life: all that is waited for has a deadline of
// its own, and one look at an instance follows the other.
const (
	silent = time.Hour
	prompt = time.Minute // of who only hands on
)

// pollSilence is that of a poll, which may fetch from several places, and find apps in
// what it fetched.
func (a *Agent) pollSilence() time.Duration {
	limits, total := a.opts.Host.Limits, silent
	for range 2 * (1 + len(a.opts.Host.Repo.Mirrors)) { // a fetch may be made anew
		total += limits.FetchTime.D() + limits.RenderTime.D()
	}
	return total
}

// atWork is the pass's sign of life, until it is ended.
func (p *pass) atWork() *pulse.Work {
	p.work = p.agent.opts.Heart.Begin("app "+p.name, silent)
	return p.work
}

// Sight is how an agent sees its repository.
type Sight struct {
	// Looked tells whether the loop has looked; Missed is how many polls in a row got no
	// answer. What was refused was seen.
	Looked bool
	Missed int
}

// Sight tells how the loop sees the repository, without a look.
func (a *Agent) Sight() Sight {
	polls := a.polls.Load()
	return Sight{Looked: polls > 0, Missed: max(0, int(polls)-1)}
}

// sees keeps how many polls in a row got no answer.
func (a *Agent) sees(misses int) { a.polls.Store(int64(misses) + 1) }
