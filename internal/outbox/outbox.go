// Package outbox keeps what has to be sent to others until it was sent: a queue on
// disk for each receiver, cursors that say how far a record was read, and what has
// to change together with them. One transaction reads on, moves the cursor and
// queues: whoever is killed anywhere loses nothing, and queues nothing twice.
// Couriers empty the queues; what they deliver arrives at least once.
package outbox

import (
	"fmt"
	"path/filepath"
	"sync"

	"go.etcd.io/bbolt"

	"syncd.io/syncd/internal/fault"
)

// Box is one file of queues. Its methods may be used by several goroutines.
type Box struct {
	path      string
	db        *bbolt.DB
	recovered string

	mu      sync.Mutex // guards what follows
	bells   map[string]chan struct{}
	dropped map[string]uint64
}

// Open opens the outbox in the file at path, in a directory that exists, and makes
// it where it is missing. One that is damaged is set aside and begun anew; Recovered
// tells. Errors: Blocked where another process has it open, or the disk refuses.
func Open(path string) (*Box, error) {
	db, note, err := openFile(path)
	if err != nil {
		return nil, trouble(path, "open outbox", err)
	}
	return &Box{path: path, db: db, recovered: note, bells: map[string]chan struct{}{}, dropped: map[string]uint64{}}, nil
}

// Recovered says what was found damaged by Open; empty where nothing was.
func (b *Box) Recovered() string { return b.recovered }

// Close lets the next process in. No Courier may be at work any more.
func (b *Box) Close() error {
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close outbox: %w", err)
	}
	return nil
}

// Update runs do in one transaction, which is on disk when it returns nil and has
// changed nothing when it returns an error. It must not be called from within do.
func (b *Box) Update(do func(*Tx) error) error {
	var t *Tx
	err := b.db.Update(func(tx *bbolt.Tx) error {
		t = &Tx{tx: tx, added: map[string]bool{}, dropped: map[string]uint64{}}
		return do(t)
	})
	if err != nil {
		return trouble(b.path, "write outbox", err)
	}
	b.settle(t)
	return nil
}

// View reads in one transaction.
func (b *Box) View(do func(*Tx) error) error {
	if err := b.db.View(func(tx *bbolt.Tx) error { return do(&Tx{tx: tx}) }); err != nil {
		return trouble(b.path, "read outbox", err)
	}
	return nil
}

// settle wakes the couriers of what a transaction added, and counts what it dropped.
func (b *Box) settle(t *Tx) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for topic, n := range t.dropped {
		b.dropped[topic] += n
	}
	for topic := range t.added {
		select {
		case b.bell(topic) <- struct{}{}:
		default: // one that rings is enough
		}
	}
}

// bell is rung where something was added under topic. It is called under the lock.
func (b *Box) bell(topic string) chan struct{} {
	if b.bells[topic] == nil {
		b.bells[topic] = make(chan struct{}, 1)
	}
	return b.bells[topic]
}

// trouble wraps an error of the file. It is blocked, for no revision is to blame.
func trouble(path, doing string, err error) error {
	if fault.Of(err) == fault.Blocked {
		return err
	}
	advice := "check the disk of " + filepath.Dir(path) + "; what is on record is told once the outbox can be written again"
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s %s: %w", doing, path, err)), advice)
}
