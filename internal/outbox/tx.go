package outbox

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"
)

// Tx is one transaction: of Update, or of View, where nothing may be changed.
type Tx struct {
	tx      *bbolt.Tx
	added   map[string]bool
	dropped map[string]uint64
}

// Cursor returns how far a reader of this name came; known is false where it has
// never begun.
func (t *Tx) Cursor(name string) (id uint64, known bool) {
	data := t.tx.Bucket([]byte(cursorBucket)).Get([]byte(name))
	if len(data) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(data), true
}

// SetCursor says that the reader has come to id.
func (t *Tx) SetCursor(name string, id uint64) error {
	return t.tx.Bucket([]byte(cursorBucket)).Put([]byte(name), binary.BigEndian.AppendUint64(nil, id))
}

// Put keeps value, as JSON, under key on a shelf.
func (t *Tx) Put(shelf, key string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode %s on shelf %s: %w", key, shelf, err)
	}
	b, err := t.tx.Bucket([]byte(shelfBucket)).CreateBucketIfNotExists([]byte(shelf))
	if err != nil {
		return err
	}
	return b.Put([]byte(key), data)
}

// Get reads what Put kept into the value that into points at; false where there is
// nothing.
func (t *Tx) Get(shelf, key string, into any) (bool, error) {
	b := t.tx.Bucket([]byte(shelfBucket)).Bucket([]byte(shelf))
	if b == nil {
		return false, nil
	}
	data := b.Get([]byte(key))
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("decode %s on shelf %s: %w", key, shelf, err)
	}
	return true, nil
}

// Delete removes what Put kept; nothing there is no error.
func (t *Tx) Delete(shelf, key string) error {
	b := t.tx.Bucket([]byte(shelfBucket)).Bucket([]byte(shelf))
	if b == nil {
		return nil
	}
	return b.Delete([]byte(key))
}

// Keys are those of a shelf, in order.
func (t *Tx) Keys(shelf string) []string {
	b := t.tx.Bucket([]byte(shelfBucket)).Bucket([]byte(shelf))
	if b == nil {
		return nil
	}
	var keys []string
	c := b.Cursor()
	for key, _ := c.First(); key != nil; key, _ = c.Next() {
		keys = append(keys, string(key))
	}
	return keys
}

// Forget removes what waits under topics that keep refuses: of receivers that are
// none any more.
func (t *Tx) Forget(keep func(topic string) bool) error {
	queues := t.tx.Bucket([]byte(queueBucket))
	var gone [][]byte
	if err := queues.ForEachBucket(func(topic []byte) error {
		if !keep(string(topic)) {
			gone = append(gone, topic)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, topic := range gone {
		if err := queues.DeleteBucket(topic); err != nil {
			return err
		}
	}
	return nil
}
