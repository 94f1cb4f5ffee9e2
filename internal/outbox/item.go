package outbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// capacity is how many items wait under one topic at most.
const capacity = 1000

// Item is one thing to be delivered.
type Item struct {
	// ID ascends in the order of Add, which gives it.
	ID uint64 `json:"id"`
	// Key is the same in every attempt, so that a receiver knows a second one.
	Key string `json:"key"`
	// Made is when it was queued.
	Made time.Time `json:"made"`
	// Due is when it is tried again, where it alone was refused; zero is in its turn.
	Due time.Time `json:"due,omitzero"`
	// Weight says what goes first where there is no room: the oldest of the lightest.
	Weight   int             `json:"weight,omitempty"`
	Attempts int             `json:"attempts,omitempty"`
	Body     json.RawMessage `json:"body"`
}

// Add queues an item under topic: its Key, Weight and Body are given. Beyond a
// thousand the lightest that waits goes, or the new one where all others weigh more.
func (t *Tx) Add(topic string, item Item) error {
	b, err := t.tx.Bucket([]byte(queueBucket)).CreateBucketIfNotExists([]byte(topic))
	if err != nil {
		return err
	}
	id, err := b.NextSequence()
	if err != nil {
		return err
	}
	item.ID, item.Made = id, time.Now().UTC()
	if err := put(b, item); err != nil {
		return err
	}
	t.added[topic] = true
	return t.makeRoom(topic, b)
}

// Withdraw forgets what waits under topic with this key: something newer says it
// better. What is being sent at the moment may still arrive.
func (t *Tx) Withdraw(topic, key string) error {
	q := t.queue(topic)
	if q == nil {
		return nil
	}
	var old []uint64
	if err := each(q, func(item Item) bool {
		if item.Key == key {
			old = append(old, item.ID)
		}
		return true
	}); err != nil {
		return err
	}
	for _, id := range old {
		if err := q.Delete(keyOf(id)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) makeRoom(topic string, b *bbolt.Bucket) error {
	if countOf(b) <= capacity {
		return nil
	}
	var lightest *Item
	if err := each(b, func(item Item) bool {
		if lightest == nil || item.Weight < lightest.Weight {
			lightest = &item
		}
		return true
	}); err != nil || lightest == nil {
		return err
	}
	t.dropped[topic]++
	return b.Delete(keyOf(lightest.ID))
}

func countOf(b *bbolt.Bucket) int {
	count, c := 0, b.Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		count++
	}
	return count
}

// put writes an item; each reads all in their order until do returns false.
func put(b *bbolt.Bucket, item Item) error {
	data, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("encode item %s: %w", item.Key, err)
	}
	return b.Put(keyOf(item.ID), data)
}

func each(b *bbolt.Bucket, do func(Item) bool) error {
	c := b.Cursor()
	for key, data := c.First(); key != nil; key, data = c.Next() {
		var item Item
		if err := json.Unmarshal(data, &item); err != nil {
			return fmt.Errorf("decode item %x: %w", key, err)
		}
		if !do(item) {
			return nil
		}
	}
	return nil
}

func keyOf(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// queue returns the bucket of a topic; nil where nothing was ever queued.
func (t *Tx) queue(topic string) *bbolt.Bucket {
	return t.tx.Bucket([]byte(queueBucket)).Bucket([]byte(topic))
}

// Waiting returns the oldest items under topic whose time has come, at most limit,
// and when the next of the others is due; zero where there is none.
func (b *Box) Waiting(topic string, limit int) (items []Item, next time.Time, err error) {
	now := time.Now()
	err = b.View(func(t *Tx) error {
		q := t.queue(topic)
		if q == nil {
			return nil
		}
		return each(q, func(item Item) bool {
			switch {
			case !item.Due.After(now), item.Due.After(now.Add(longest)): // a clock that was put back makes nobody wait
				items = append(items, item)
			case next.IsZero() || item.Due.Before(next):
				next = item.Due
			}
			return len(items) < limit
		})
	})
	return items, next, err
}

// Done forgets an item.
func (b *Box) Done(topic string, id uint64) error {
	return b.Update(func(t *Tx) error {
		if q := t.queue(topic); q != nil {
			return q.Delete(keyOf(id))
		}
		return nil
	})
}

// Again keeps an item, as it is given, for another attempt. One that had to make
// room stays away.
func (b *Box) Again(topic string, item Item) error {
	return b.Update(func(t *Tx) error {
		if q := t.queue(topic); q != nil && q.Get(keyOf(item.ID)) != nil {
			return put(q, item)
		}
		return nil
	})
}
