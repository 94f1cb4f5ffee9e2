package metrics

import "github.com/prometheus/client_golang/prometheus"

// Hooks counts webhooks.
type Hooks interface {
	// Accepted are those that were accepted, by the name of the hook.
	Accepted() map[string]uint64
	// Refused are those that were refused, by the name of the hook, empty for none,
	// and by the reason.
	Refused() map[[2]string]uint64
}

type hooks struct {
	from              Hooks
	accepted, refused *prometheus.Desc
}

// OfHooks collects how many webhooks came.
func OfHooks(from Hooks) Collector {
	return hooks{
		from:     from,
		accepted: prometheus.NewDesc("syncd_webhook_accepted_total", "Webhooks that let the repository be looked at.", []string{"hook"}, nil),
		refused:  prometheus.NewDesc("syncd_webhook_refused_total", "Requests that were refused as webhooks, by the reason.", []string{"hook", "reason"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (h hooks) Describe(ch chan<- *prometheus.Desc) {
	ch <- h.accepted
	ch <- h.refused
}

// Collect implements prometheus.Collector.
func (h hooks) Collect(ch chan<- prometheus.Metric) {
	for name, n := range h.from.Accepted() {
		ch <- prometheus.MustNewConstMetric(h.accepted, prometheus.CounterValue, float64(n), name)
	}
	for of, n := range h.from.Refused() {
		ch <- prometheus.MustNewConstMetric(h.refused, prometheus.CounterValue, float64(n), of[0], of[1])
	}
}
