package reconcile

import "time"

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
		if now.Sub(at) < fightTime {
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
