package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"syncd.io/syncd/internal/source"
)

// Remotes says what is known of the places that the repository is had from, without
// asking them.
type Remotes interface {
	Remotes() []source.RemoteStatus
}

// remotes collects what became of the last question to each remote.
type remotes struct {
	from                     Remotes
	state, answered, refused *prometheus.Desc
}

// OfRemotes collects the states of the remotes. Their URLs hold no secret.
func OfRemotes(from Remotes) prometheus.Collector {
	return &remotes{
		from:     from,
		state:    prometheus.NewDesc("syncd_remote_state", "1 for the state that the remote is in, 0 for the others.", []string{"remote", "state"}, nil),
		answered: prometheus.NewDesc("syncd_remote_answered_timestamp_seconds", "When the remote answered last.", []string{"remote"}, nil),
		refused:  prometheus.NewDesc("syncd_remote_refused_total", "Revisions that the remote named and that were not followed, by the state that they brought it to.", []string{"remote", "cause"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *remotes) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.state
	ch <- c.answered
	ch <- c.refused
}

// Collect implements prometheus.Collector.
func (c *remotes) Collect(ch chan<- prometheus.Metric) {
	seen := map[string]bool{} // somebody may have named one twice
	for _, r := range c.from.Remotes() {
		if seen[r.Name] {
			continue
		}
		seen[r.Name] = true
		for _, state := range source.RemoteStates() {
			is := 0.0
			if r.State == state {
				is = 1
			}
			ch <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, is, r.Name, string(state))
		}
		for _, cause := range source.RefusingStates() {
			ch <- prometheus.MustNewConstMetric(c.refused, prometheus.CounterValue, float64(r.Refused[cause]), r.Name, string(cause))
		}
		if !r.Answered.IsZero() {
			ch <- prometheus.MustNewConstMetric(c.answered, prometheus.GaugeValue, float64(r.Answered.Unix()), r.Name)
		}
	}
}
