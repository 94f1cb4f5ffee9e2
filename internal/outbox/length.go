package outbox

import "time"

// Length is how many items wait under a topic, Oldest when the first of them was
// queued, and Dropped how many had to make room since Open.
type Length struct {
	Items   int
	Oldest  time.Time
	Dropped uint64
}

// Length counts what waits under topic.
func (b *Box) Length(topic string) (Length, error) {
	var l Length
	err := b.View(func(t *Tx) error {
		q := t.queue(topic)
		if q == nil {
			return nil
		}
		l.Items = countOf(q)
		return each(q, func(item Item) bool { l.Oldest = item.Made; return false })
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	l.Dropped = b.dropped[topic]
	return l, err
}
