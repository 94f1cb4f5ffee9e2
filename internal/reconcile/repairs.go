package reconcile

import (
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
)

// repairs recognises a drift that comes back as often as it is repaired.
type repairs struct {
	report string
	times  []time.Time
}

// The same drift repaired this often within this time does not converge.
const (
	fightRounds = 3
	fightTime   = 5 * time.Minute
)

// stuck books one more repair of this drift at now, and tells whether it is one
// too many.
func (r *repairs) stuck(report string, now time.Time) bool {
	if report != r.report {
		*r = repairs{report: report}
	}
	var recent []time.Time
	for _, at := range r.times {
		if now.Sub(at).Abs() < fightTime { // the clock may have been set back
			recent = append(recent, at)
		}
	}
	if len(recent) >= fightRounds {
		r.times = recent
		return true
	}
	r.times = append(recent, now)
	return false
}

// stubborn recognises a set that does not stay as it is put: each round costs the
// app its instances.
type stubborn struct {
	digest, changes string
	rounds          int
}

// again books that a set was put, and that this plan would still have to be
// carried out after it.
func (s *stubborn) again(digest string, left apply.Plan) {
	if changes := changesOf(left); s.digest != digest || s.changes != changes {
		*s = stubborn{digest: digest, changes: changes}
	}
	s.rounds++
}

// gaveUp tells whether the set was put often enough, and still the same is left
// to be done: something else has to change first.
func (s *stubborn) gaveUp(digest string, left apply.Plan) bool {
	return s.rounds >= fightRounds && s.digest == digest && s.changes == changesOf(left)
}

// changesOf names what a plan changes, without the values: those may be others
// each time.
func changesOf(plan apply.Plan) string {
	var b strings.Builder
	for _, s := range plan.Steps {
		if s.Verb == apply.Await {
			continue
		}
		b.WriteString(string(s.Verb) + " " + s.Key.String())
		for _, c := range s.Changes {
			b.WriteString(" " + c.Path)
		}
		b.WriteString("\n")
	}
	return b.String()
}
