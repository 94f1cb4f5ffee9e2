package state

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.etcd.io/bbolt"
)

// Store is the record on disk: a bbolt database of sealed values, the key that
// seals them, and a lock that keeps a second agent out. Its methods may be used
// by several goroutines; each app's record has one owner.
type Store struct {
	dir       string
	lock      *os.File
	db        *bbolt.DB
	seal      sealer
	id        string
	recovered []string
}

// The names of the database's buckets. Every value is sealed, except in the
// bucket of what could not be opened any more.
const (
	recordsBucket = "records"
	historyBucket = "history"
	logsBucket    = "logs"
	agentBucket   = "agent"
	brokenBucket  = "broken"
)

// sealedBuckets are those whose values open with the key, or are broken.
func sealedBuckets() []string {
	return []string{recordsBucket, historyBucket, logsBucket, agentBucket}
}

// Open opens the record in directory dir and makes what is missing: the
// directory (0700), its key and its database (0600). Where another process works
// on dir, it waits for a moment, and is then blocked. Damage is healed without a
// person: what is proven to be broken is set aside, and Recovered tells. Every
// other error is blocked, too, a record whose key is missing among them: no
// revision is to blame for the state of a disk, and what cannot be read now may
// be whole.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, trouble(dir, "make state directory", err)
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// load reads the database and the key, under the lock.
func (s *Store) load() error {
	var note string
	var err error
	if s.db, note, err = openDatabase(s.dir); err != nil {
		return err
	}
	s.note(note)
	key, note, err := s.loadKey()
	if err != nil {
		return err
	}
	s.note(note)
	if s.seal, err = newSealer(key); err != nil {
		return err
	}
	if s.id, err = identity(key); err != nil {
		return err
	}
	return s.audit()
}

// Recovered says what was found damaged by Open and how it was healed, one line
// each; empty where nothing was.
func (s *Store) Recovered() string { return strings.Join(s.recovered, "\n") }

func (s *Store) note(text string) {
	if text != "" {
		s.recovered = append(s.recovered, text)
	}
}

// Close ends all work on the directory and lets the next process in.
func (s *Store) Close() error {
	var failed error
	if s.db != nil {
		failed = s.db.Close()
	}
	if err := errors.Join(failed, s.lock.Close()); err != nil {
		return fmt.Errorf("close record in %s: %w", s.dir, err)
	}
	return nil
}

// view reads in one transaction; doing is what an error says was being done.
func (s *Store) view(doing string, read func(*bbolt.Tx) error) error {
	if err := s.db.View(read); err != nil {
		return trouble(s.dir, doing, err)
	}
	return nil
}

// update writes in one transaction, which is on disk when it returns nil and
// has changed nothing when it returns an error.
func (s *Store) update(doing string, write func(*bbolt.Tx) error) error {
	if err := s.db.Update(write); err != nil {
		return trouble(s.dir, doing, err)
	}
	return nil
}
