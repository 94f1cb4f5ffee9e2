package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Queue is what waits to be delivered to one channel, and what was.
type Queue struct {
	// Channel is its name in the settings.
	Channel string
	// Waiting are the messages that were not delivered yet, the oldest from Oldest on;
	// zero where none waits.
	Waiting int
	Oldest  time.Time
	// Delivered, Failed and Dropped count since the start: messages that arrived, tries
	// that did not, and messages that were given up.
	Delivered, Failed, Dropped uint64
}

// Queues says what is known of each channel, without asking it.
type Queues interface {
	Queues() []Queue
}

type queues struct {
	from                                        Queues
	waiting, oldest, delivered, failed, dropped *prometheus.Desc
}

// OfQueues collects what waits to be told to people.
func OfQueues(from Queues) Collector {
	of := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("syncd_notifications_"+name, help, []string{"channel"}, nil)
	}
	return &queues{
		from:      from,
		waiting:   of("waiting", "Messages that were not delivered yet."),
		oldest:    of("oldest_timestamp_seconds", "From when the oldest message is that waits."),
		delivered: of("delivered_total", "Messages that were delivered."),
		failed:    of("failed_total", "Tries to deliver a message that failed."),
		dropped:   of("dropped_total", "Messages that were given up."),
	}
}

// Describe implements prometheus.Collector.
func (c *queues) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.waiting, c.oldest, c.delivered, c.failed, c.dropped} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *queues) Collect(ch chan<- prometheus.Metric) {
	for _, q := range c.from.Queues() {
		ch <- gauge(c.waiting, float64(q.Waiting), q.Channel)
		if !q.Oldest.IsZero() {
			ch <- gauge(c.oldest, float64(q.Oldest.Unix()), q.Channel)
		}
		for desc, n := range map[*prometheus.Desc]uint64{c.delivered: q.Delivered, c.failed: q.Failed, c.dropped: q.Dropped} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), q.Channel)
		}
	}
}
