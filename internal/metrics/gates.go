package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd.io/syncd/internal/apply"
)

// askLimit bounds what a scrape waits for gates.
const askLimit = 5 * time.Second

// Gates asks every gate of the agent's apps, by app. It ends with the context,
// with as much as it has by then.
type Gates interface {
	AllGates(ctx context.Context) (map[string][]apply.Gate, error)
}

// gates collects what gates count. They are asked when somebody scrapes.
type gates struct {
	life context.Context //nolint:containedctx // a collector is given none
	from Gates

	mu   sync.Mutex // one question at a time
	last map[string][]apply.Gate
	at   time.Time
}

// OfGates collects what gates count until life ends. A gate that does not answer
// is told by syncd_gate_up alone.
func OfGates(life context.Context, from Gates) prometheus.Collector {
	return &gates{life: life, from: from}
}

// reading is one number of a gate.
type reading struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(apply.Gate) float64
}

// readings are those of a gate that answers.
func readings() []reading {
	named := func(name, help string, kind prometheus.ValueType, of func(apply.Gate) float64) reading {
		return reading{prometheus.NewDesc("syncd_gate_"+name, help, labels(), nil), kind, of}
	}
	return []reading{
		named("connections_accepted_total", "Connections of clients that the gate accepted since its start.", prometheus.CounterValue,
			func(g apply.Gate) float64 { return float64(g.Totals.Accepted) }),
		named("connections_held_total", "Connections (http: requests) that had to wait for a backend.", prometheus.CounterValue,
			func(g apply.Gate) float64 { return float64(g.Totals.Held) }),
		named("connections_refused_total", "Connections (http: requests) that met nobody who serves, or waited too long, or were too many to wait.", prometheus.CounterValue,
			func(g apply.Gate) float64 {
				return float64(g.Totals.Refused + g.Totals.HeldTooLong + g.Totals.HeldTooMany)
			}),
		named("connections_cut_total", "Connections (http: requests) that were closed at the end of a drain.", prometheus.CounterValue,
			func(g apply.Gate) float64 { return float64(g.Totals.Cut) }),
		named("waiting", "Connections (http: requests) that wait for a backend now.", prometheus.GaugeValue,
			func(g apply.Gate) float64 { return float64(g.Waiting) }),
		named("backend_in_flight", "Connections (http: requests) that the gate's backends have now, those that leave included.", prometheus.GaugeValue,
			func(g apply.Gate) float64 { return float64(g.InFlight()) }),
	}
}

func labels() []string { return []string{"app", "service", "port"} }

func up() *prometheus.Desc {
	return prometheus.NewDesc("syncd_gate_up", "Whether the gate answers, and its port is as it should be.", labels(), nil)
}

// Describe implements prometheus.Collector.
func (c *gates) Describe(ch chan<- *prometheus.Desc) {
	ch <- up()
	for _, r := range readings() {
		ch <- r.desc
	}
}

// Collect implements prometheus.Collector.
func (c *gates) Collect(ch chan<- prometheus.Metric) {
	all, err := c.ask()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(up(), err)
		return
	}
	for app, list := range all {
		seen := map[string]bool{} // two at one route: somebody was cut short
		for _, g := range list {
			if !seen[g.Title()] {
				seen[g.Title()] = true
				tell(ch, g, app, g.Route.Namespace, g.Route.Name)
			}
		}
	}
}

func tell(ch chan<- prometheus.Metric, g apply.Gate, labels ...string) {
	well := 0.0
	if g.Answers && g.Trouble == "" {
		well = 1
	}
	ch <- prometheus.MustNewConstMetric(up(), prometheus.GaugeValue, well, labels...)
	if !g.Answers {
		return
	}
	for _, r := range readings() {
		ch <- prometheus.MustNewConstMetric(r.desc, r.kind, r.of(g), labels...)
	}
}

// ask asks the gates, unless somebody just has. That it failed is not kept.
func (c *gates) ask() (map[string][]apply.Gate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil && time.Since(c.at) < keep {
		return c.last, nil
	}
	ctx, cancel := context.WithTimeout(c.life, askLimit)
	defer cancel()
	all, err := c.from.AllGates(ctx)
	if err != nil {
		return nil, err
	}
	c.last, c.at = all, time.Now()
	return all, nil
}
