package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Durations counts how long passes and their phases take, over all apps.
type Durations struct{ pass, phase *prometheus.HistogramVec }

// slow are the seconds between which passes and phases are told apart.
func slow() []float64 {
	return []float64{.01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800}
}

// NewDurations has counted nothing yet.
func NewDurations() *Durations {
	return &Durations{
		pass:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "syncd_pass_duration_seconds", Help: "How long passes took, by how they ended.", Buckets: slow()}, []string{"outcome"}),
		phase: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "syncd_pass_phase_duration_seconds", Help: "How long the phases of passes took, where they had them.", Buckets: slow()}, []string{"phase"}),
	}
}

// Pass counts a pass that ended. Outcome and phases are few words each.
func (d *Durations) Pass(outcome string, took time.Duration, phases map[string]time.Duration) {
	d.pass.WithLabelValues(outcome).Observe(took.Seconds())
	for phase, took := range phases {
		if took > 0 {
			d.phase.WithLabelValues(phase).Observe(took.Seconds())
		}
	}
}

// Describe implements prometheus.Collector.
func (d *Durations) Describe(ch chan<- *prometheus.Desc) {
	d.pass.Describe(ch)
	d.phase.Describe(ch)
}

// Collect implements prometheus.Collector.
func (d *Durations) Collect(ch chan<- prometheus.Metric) {
	d.pass.Collect(ch)
	d.phase.Collect(ch)
}
