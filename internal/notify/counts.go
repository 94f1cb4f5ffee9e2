package notify

import (
	"sync"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/outbox"
)

// counts are what became of attempts, by channel and outcome.
type counts struct {
	mu *sync.Mutex
	of map[[2]string]uint64
}

// newCounts begins at zero for each channel, so that rates are known from the begin.
func newCounts(channels []string) counts {
	c := counts{mu: &sync.Mutex{}, of: map[[2]string]uint64{}}
	for _, name := range channels {
		for _, what := range outbox.Outcomes() {
			c.of[[2]string{name, string(what)}] = 0
		}
	}
	return c
}

func (c counts) add(channel string, what outbox.Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[[2]string{channel, string(what)}]++
}

// Deliveries are the attempts to tell, by the name of the channel and by what became
// of them: delivered, retried, refused, given up, and dropped for want of room.
func (n *Notifier) Deliveries() map[[2]string]uint64 {
	all := map[[2]string]uint64{}
	n.counts.mu.Lock()
	for of, count := range n.counts.of {
		all[of] = count
	}
	n.counts.mu.Unlock()
	for name := range n.channels {
		if l, err := n.opts.Box.Length(topicOf + name); err == nil {
			all[[2]string{name, "dropped"}] = l.Dropped
		}
	}
	return all
}

// Waiting is how many messages wait for each channel, and since when the oldest does;
// of Alertmanager the ends of alerts that it was not told.
func (n *Notifier) Waiting() (length map[string]int, oldest map[string]time.Time) {
	length, oldest = map[string]int{}, map[string]time.Time{}
	for name, conf := range n.opts.Channels {
		if conf.Type == config.Alertmanager {
			length[name], oldest[name] = n.untold(name)
			continue
		}
		if l, err := n.opts.Box.Length(topicOf + name); err == nil {
			length[name], oldest[name] = l.Items, l.Oldest
		}
	}
	return length, oldest
}
