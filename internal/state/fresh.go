package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"syncd.io/syncd/internal/durable"
)

// begin puts a fresh database at path, whole or not at all. What is there goes by
// makeRoom, once there was space for the new one.
func begin(path string, makeRoom func() error) error {
	fresh := path + ".new"
	err := discard(fresh) // a crash may have left a part of one
	if err != nil {
		return err
	}
	db, err := openBolt(fresh)
	if err == nil {
		err = db.Close()
	}
	if err == nil {
		err = makeRoom()
	}
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("make record: %w", err), discard(fresh))
	}
	return durable.SyncDir(filepath.Dir(path))
}

// replace sets a damaged database aside and opens a fresh one.
func replace(path string) (*bbolt.DB, error) {
	if err := begin(path, func() error {
		if err := setAside(path); err != nil {
			return fmt.Errorf("set the damaged one aside: %w", err)
		}
		return durable.SyncDir(filepath.Dir(path))
	}); err != nil {
		return nil, err
	}
	return openBolt(path)
}

// countOn lets the IDs of a history that is begun anew be greater than any of the
// lost one, whoever remembers those: there are fewer than seconds. Anew is one
// without any ID beside a damaged record, also where the agent that set that aside was
// ended before it could say so; note tells.
func countOn(db *bbolt.DB, path string, damage error) (note string, err error) {
	aside, err := broken(path)
	if err != nil || len(aside) == 0 {
		return "", err
	}
	name := filepath.Base(aside[len(aside)-1])
	note = fmt.Sprintf("the record is one begun anew beside %s, which an earlier start set aside", name)
	if damage != nil {
		note = fmt.Sprintf("the record was damaged (%v): set aside as %s and begun anew", damage, name)
	}
	if used, err := counted(db); used || err != nil {
		return "", err
	}
	return note + "; what runs is compared afresh, and good revisions are learnt again", db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(historyBucket)).SetSequence(uint64(time.Now().Unix()))
	})
}

// counted tells whether the history has ever had an ID.
func counted(db *bbolt.DB) (used bool, err error) {
	err = db.View(func(tx *bbolt.Tx) error {
		used = tx.Bucket([]byte(historyBucket)).Sequence() > 0
		return nil
	})
	return used, err
}
