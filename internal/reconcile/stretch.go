package reconcile

import (
	"time"

	"syncd.io/syncd/internal/resource"
)

// Stretch is a time that a pass spent in one of its phases; it may be there several
// times.
type Stretch struct {
	// Phase is render, prepare, observe, rollout or soak.
	Phase string
	Begun time.Time
	Took  time.Duration
}

// mostStretches bounds how many are kept of one pass.
const mostStretches = 100

// spent notes that the pass spent the last so long in a phase, and adds it up.
func (p *pass) spent(phase string, sum *resource.Duration, took time.Duration) {
	*sum += resource.Duration(took)
	if len(p.result.Stretches) < mostStretches {
		p.result.Stretches = append(p.result.Stretches, Stretch{Phase: phase, Begun: p.agent.opts.Now().Add(-took), Took: took})
	}
}
