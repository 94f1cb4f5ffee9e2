package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Work is what the agent does at the moment.
type Work struct {
	// Leads tells whether this process keeps anything: false for one that stands by.
	Leads bool
	// SourceSeen tells whether the last look at the repository showed what it asks for.
	SourceSeen bool
	// Passes are how many passes are where: changing, waiting, aside.
	Passes map[string]int
}

// Agent says what the agent does, without asking anybody.
type Agent interface {
	Work() Work
}

type agent struct {
	from                 Agent
	leads, seen, passing *prometheus.Desc
}

// OfAgent collects what the agent does.
func OfAgent(from Agent) Collector {
	return &agent{
		from:    from,
		leads:   prometheus.NewDesc("syncd_leading", "Whether this process keeps the apps: 0 for one that stands by.", nil, nil),
		seen:    prometheus.NewDesc("syncd_repository_up", "Whether the last look at the repository showed what it asks for.", nil, nil),
		passing: prometheus.NewDesc("syncd_passes_underway", "Passes under way: changing something or looking, waiting for a place, or aside while they pull or soak.", []string{"state"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *agent) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.leads
	ch <- c.seen
	ch <- c.passing
}

// Collect implements prometheus.Collector.
func (c *agent) Collect(ch chan<- prometheus.Metric) {
	w := c.from.Work()
	ch <- gauge(c.leads, number(w.Leads))
	if !w.Leads {
		return
	}
	ch <- gauge(c.seen, number(w.SourceSeen))
	for state, n := range w.Passes {
		ch <- gauge(c.passing, float64(n), state)
	}
}

// OfProcess collects what this process uses, and says which version it is of.
func OfProcess(version string) []Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "syncd_build_info", Help: "1; the version of this program.", ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	return []Collector{info, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector()}
}
