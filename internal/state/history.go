package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// Bounds of the history: entries per app, and apps without a record.
const (
	maxHistory   = 500
	maxForgotten = 100
)

// Append adds e to the history of its app and returns it with its ID: ascending
// over all apps. Entries are never changed; of more than 500 of one app the
// oldest go.
func (s *Store) Append(e Entry) (Entry, error) {
	err := s.update("append to history of "+e.App, func(tx *bbolt.Tx) error { return s.append(tx, &e) })
	return e, err
}

func (s *Store) append(tx *bbolt.Tx, e *Entry) error {
	if strings.ContainsRune(e.App, 0) {
		return errApp
	}
	of := seriesOf(tx, historyBucket, e.App)
	id, err := of.bucket.NextSequence()
	if err != nil {
		return err
	}
	e.ID = id
	if err := s.put(tx, historyBucket, binary.BigEndian.AppendUint64(of.prefix, id), *e); err != nil {
		return err
	}
	return of.trim(maxHistory)
}

// everyApp is the name, which no app has, of the history that belongs to all of them:
// what is said once about the repository is written once.
const everyApp = ""

// History returns the newest entries of an app, those that concern every app among
// them, the newest first; limit 0 is all.
func (s *Store) History(app string, limit int) ([]Entry, error) {
	var own, common []Entry
	err := s.view("read history of "+app, func(tx *bbolt.Tx) (err error) {
		if own, err = s.newest(tx, app, limit); err != nil {
			return err
		}
		common, err = s.newest(tx, everyApp, limit)
		return err
	})
	return merged(app, own, common, limit), err
}

// newest returns the newest entries of one history.
func (s *Store) newest(tx *bbolt.Tx, app string, limit int) ([]Entry, error) {
	var entries []Entry
	err := seriesOf(tx, historyBucket, app).newest(func(key []byte) (bool, error) {
		var e Entry
		if err := s.get(tx, historyBucket, key, &e); err != nil {
			return false, err
		}
		entries = append(entries, e)
		return limit <= 0 || len(entries) < limit, nil
	})
	return entries, err
}

// merged is an app's history as it is read: its own entries, and those that concern
// every app, in the order in which they were written.
func merged(app string, own, common []Entry, limit int) []Entry {
	for _, e := range common {
		e.App = app
		own = append(own, e)
	}
	slices.SortStableFunc(own, func(a, b Entry) int { return cmp.Compare(b.ID, a.ID) })
	if limit > 0 {
		own = own[:min(limit, len(own))]
	}
	return own
}

// forget drops the histories of apps that have no record, except for the keep
// that were written to last.
func forget(tx *bbolt.Tx, keep int) error {
	last := map[string]uint64{}
	if err := tx.Bucket([]byte(historyBucket)).ForEach(func(key, _ []byte) error {
		app := string(key[:bytes.IndexByte(key, 0)])
		if tx.Bucket([]byte(recordsBucket)).Get([]byte(app)) == nil && app != everyApp {
			last[app] = binary.BigEndian.Uint64(key[len(key)-8:])
		}
		return nil
	}); err != nil {
		return err
	}
	apps := make([]string, 0, len(last))
	for app := range last {
		apps = append(apps, app)
	}
	slices.SortFunc(apps, func(a, b string) int { return int(int64(last[b]) - int64(last[a])) })
	for _, app := range apps[min(keep, len(apps)):] {
		if err := seriesOf(tx, historyBucket, app).trim(0); err != nil {
			return err
		}
	}
	return nil
}
