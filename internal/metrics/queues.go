package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue is what waits to be delivered to one channel, and what became of the rest.
type Queue struct {
	// Channel is its name in the settings.
	Channel string
	// Waiting are the messages that were not delivered yet, the oldest from Oldest on;
	// zero where none waits.
	Waiting int
	Oldest  time.Time
	// Ended counts tries since the start, by a word for what became of them.
	Ended map[string]uint64
}

// Queues says what is known of each channel, without asking it.
type Queues interface {
	Queues() []Queue
}

type queues struct {
	from                   Queues
	waiting, oldest, total *prometheus.Desc
}

// OfQueues collects what waits to be told to people.
func OfQueues(from Queues) Collector {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("syncd_notifications_"+name, help, append([]string{"channel"}, labels...), nil)
	}
	return &queues{
		from:    from,
		waiting: of("waiting", "Messages that were not delivered yet."),
		oldest:  of("oldest_timestamp_seconds", "From when the oldest message is that waits."),
		total:   of("total", "Tries to deliver a message, by what became of them.", "outcome"),
	}
}

// Describe implements prometheus.Collector.
func (c *queues) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.waiting
	ch <- c.oldest
	ch <- c.total
}

// Collect implements prometheus.Collector.
func (c *queues) Collect(ch chan<- prometheus.Metric) {
	for _, q := range c.from.Queues() {
		ch <- gauge(c.waiting, float64(q.Waiting), q.Channel)
		if !q.Oldest.IsZero() {
			ch <- gauge(c.oldest, float64(q.Oldest.Unix()), q.Channel)
		}
		for outcome, n := range q.Ended {
			ch <- prometheus.MustNewConstMetric(c.total, prometheus.CounterValue, float64(n), q.Channel, outcome)
		}
	}
}
