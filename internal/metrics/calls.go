package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// mostCalls bounds how many different calls are told apart.
const mostCalls = 200

// Calls counts what somebody is asked: the engine, a Git server, the child.
type Calls struct {
	labels int
	known  *names
	total  *prometheus.CounterVec
	took   *prometheus.HistogramVec
}

// quick are the seconds between which calls are told apart.
func quick() []float64 {
	return []float64{.001, .005, .01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 300}
}

// newCalls counts calls that are told apart by labels, and by their outcome.
func newCalls(name, ofWhat string, labels ...string) *Calls {
	return &Calls{
		labels: len(labels), known: newNames(mostCalls),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "syncd_" + name + "_total", Help: "How many " + ofWhat + " ended, by their outcome."}, append(labels, "outcome")),
		took:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "syncd_" + name + "_duration_seconds", Help: "How long " + ofWhat + " took.", Buckets: quick()}, labels),
	}
}

// OfEngine counts requests to the engine, or to the cluster's API server, by verb.
func OfEngine() *Calls {
	return newCalls("engine_requests", "requests to the engine, or to the cluster's API server,", "verb")
}

// OfGit counts questions to remotes, by operation and remote.
func OfGit() *Calls { return newCalls("git_requests", "questions to remotes", "operation", "remote") }

// OfChild counts runs of the child that fetches and renders, by operation.
func OfChild() *Calls {
	return newCalls("child_runs", "runs of the child that fetches and renders", "operation")
}

// Done counts a call: what was asked, as many words as there are labels, how it ended,
// and how long it took. It never waits.
func (c *Calls) Done(outcome string, took time.Duration, what ...string) {
	key := ""
	for _, word := range what {
		key += word + "\n"
	}
	if c.known.of(key) == others {
		what = make([]string, c.labels)
		for i := range what {
			what[i] = others
		}
	}
	c.total.WithLabelValues(append(what[:c.labels:c.labels], outcome)...).Inc()
	c.took.WithLabelValues(what...).Observe(took.Seconds())
}

// Describe implements prometheus.Collector.
func (c *Calls) Describe(ch chan<- *prometheus.Desc) {
	c.total.Describe(ch)
	c.took.Describe(ch)
}

// Collect implements prometheus.Collector.
func (c *Calls) Collect(ch chan<- prometheus.Metric) {
	c.total.Collect(ch)
	c.took.Collect(ch)
}
