package state

import (
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"syncd.io/syncd/internal/fault"
)

// Record returns what is remembered of an app; of one that is not known, a
// record with nothing but its name.
func (s *Store) Record(app string) (Record, error) {
	r := Record{App: app}
	if err := named(app); err != nil {
		return r, err
	}
	err := s.view("read record of "+app, func(tx *bbolt.Tx) error {
		return s.get(tx, recordsBucket, []byte(app), &r)
	})
	r.Share()
	return r, err
}

// Apps returns the names of all apps that have a record, in order.
func (s *Store) Apps() ([]string, error) {
	var apps []string
	err := s.view("list records", func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(recordsBucket)).ForEach(func(key, _ []byte) error {
			apps = append(apps, string(key))
			return nil
		})
	})
	return apps, err
}

// Save stores r in place of the app's record. It is on disk when Save returns;
// a record that has not changed is not written.
func (s *Store) Save(r Record) error {
	if err := named(r.App); err != nil {
		return err
	}
	if same, err := s.same(recordsBucket, []byte(r.App), r); err != nil || same {
		return err
	}
	return s.update("save record of "+r.App, func(tx *bbolt.Tx) error {
		return s.put(tx, recordsBucket, []byte(r.App), r)
	})
}

// SaveWith stores r and appends entries to the history in one transaction: after
// a crash all are there, or none. It returns the last of them with its ID.
func (s *Store) SaveWith(r Record, entries ...Entry) (Entry, error) {
	var last Entry
	if err := named(r.App); err != nil {
		return last, err
	}
	err := s.update("save record of "+r.App, func(tx *bbolt.Tx) error {
		if err := s.put(tx, recordsBucket, []byte(r.App), r); err != nil {
			return err
		}
		for _, last = range entries {
			if err := s.append(tx, &last); err != nil {
				return err
			}
		}
		return nil
	})
	return last, err
}

// Delete forgets an app: its record, also one that was set aside, and its kept logs. Its
// history stays, so that who removed it can be told; of deleted apps, the newest are kept.
func (s *Store) Delete(app string) error {
	if err := named(app); err != nil {
		return err
	}
	return s.update("delete record of "+app, func(tx *bbolt.Tx) error {
		if err := tx.Bucket([]byte(recordsBucket)).Delete([]byte(app)); err != nil {
			return err
		}
		if err := errors.Join(tx.Bucket([]byte(brokenBucket)).Delete([]byte(app)), seriesOf(tx, brokenBucket, app).trim(0), seriesOf(tx, logsBucket, app).trim(0)); err != nil {
			return err
		}
		return forget(tx, maxForgotten)
	})
}

// named refuses names that cannot be keys.
func named(app string) error {
	if app == "" || strings.ContainsRune(app, 0) {
		return fault.As(fault.Rejected, fmt.Errorf("use record of %q: %w", app, errApp))
	}
	return nil
}
