package state

import (
	"bytes"
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

// History returns the newest entries of an app, of the agent itself where it is
// empty, the newest first; limit 0 is all.
func (s *Store) History(app string, limit int) ([]Entry, error) {
	var entries []Entry
	err := s.view("read history of "+app, func(tx *bbolt.Tx) error {
		return seriesOf(tx, historyBucket, app).newest(func(key []byte) (bool, error) {
			var e Entry
			if err := s.get(tx, historyBucket, key, &e); err != nil {
				return false, err
			}
			entries = append(entries, e)
			return limit <= 0 || len(entries) < limit, nil
		})
	})
	return entries, err
}

// forget drops the histories of apps that have no record, except for the keep
// that were written to last.
func forget(tx *bbolt.Tx, keep int) error {
	last := map[string]uint64{}
	if err := tx.Bucket([]byte(historyBucket)).ForEach(func(key, _ []byte) error {
		app := string(key[:bytes.IndexByte(key, 0)])
		if tx.Bucket([]byte(recordsBucket)).Get([]byte(app)) == nil && app != "" {
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
