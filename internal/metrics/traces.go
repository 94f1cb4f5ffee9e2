package metrics

import "github.com/prometheus/client_golang/prometheus"

// Traces counts traces by what became of them.
type Traces interface {
	Counts() map[string]uint64
}

type traces struct {
	from  Traces
	total *prometheus.Desc
}

// OfTraces collects what became of traces.
func OfTraces(from Traces) Collector {
	return traces{from, prometheus.NewDesc("syncd_traces_total", "Traces by what became of them: sent, dropped for want of room, or failed.", []string{"outcome"}, nil)}
}

// Describe implements prometheus.Collector.
func (t traces) Describe(ch chan<- *prometheus.Desc) { ch <- t.total }

// Collect implements prometheus.Collector.
func (t traces) Collect(ch chan<- prometheus.Metric) {
	for outcome, n := range t.from.Counts() {
		ch <- prometheus.MustNewConstMetric(t.total, prometheus.CounterValue, float64(n), outcome)
	}
}
