// Package metrics says in Prometheus' format what the agent knows: one collector
// for each kind of thing that is counted, and one page with them all. Labels are
// bounded by what the repository asks for: no container IDs, no revisions.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// keep is for how long an answer is good for other scrapes, too: whoever scrapes
// often, or in numbers, does not hammer the engine.
const keep = 5 * time.Second

// Collector collects numbers of one kind.
type Collector = prometheus.Collector

// Handler answers scrapes with what the collectors collect. What one of them
// cannot find out is left out of the page, and makes none of the others fail.
func Handler(collectors ...Collector) (http.Handler, error) {
	registry := prometheus.NewPedanticRegistry()
	for _, c := range collectors {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}), nil
}
