package gatebench_test

import (
	"cmp"
	"slices"
	"time"
)

// sample is what one run gave.
type sample struct {
	span time.Duration
	took []time.Duration // how long each answer took
}

// rate is how many were answered in a second.
func (s sample) rate() float64 { return float64(len(s.took)) / s.span.Seconds() }

// quantile is how many milliseconds that part of the answers took at most.
func (s sample) quantile(part float64) float64 {
	slices.Sort(s.took)
	return float64(at(s.took, part).Microseconds()) / 1000
}

// median is the middle one of some figures.
func median(figures []float64) float64 { return at(slices.Sorted(slices.Values(figures)), 0.5) }

// at is the one that part of those sorted are below.
func at[T cmp.Ordered](sorted []T, part float64) T {
	var none T
	if len(sorted) == 0 {
		return none
	}
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// rounds are the figures of one way, one of each round.
type rounds []float64

// paired is the median of what two ways' figures give, round by round: what the
// machine did meanwhile did it to both.
func (r rounds) paired(other rounds, f func(mine, others float64) float64) float64 {
	out := make([]float64, 0, len(r))
	for i := range r {
		out = append(out, f(r[i], other[i]))
	}
	return median(out)
}
