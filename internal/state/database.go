package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// openDatabase opens record.db and makes it where it is missing. One that is
// damaged is set aside and replaced by a fresh one; note tells. It is called
// under the lock.
func openDatabase(dir string) (db *bbolt.DB, note string, err error) {
	path := filepath.Join(dir, "record.db")
	damage, err := inspect(path)
	if err != nil {
		return nil, "", trouble(dir, "open record", err)
	}
	if damage == nil {
		if db, damage = openBolt(path); damage == nil {
			return db, "", nil
		}
		var failed *fs.PathError
		if errors.As(damage, &failed) { // the disk said no: that is no damage
			return nil, "", trouble(dir, "open record", damage)
		}
	}
	aside, err := setAside(path)
	if err != nil {
		return nil, "", trouble(dir, "set damaged record aside", err)
	}
	if db, err = openBolt(path); err != nil {
		return nil, "", trouble(dir, "make record", err)
	}
	return db, fmt.Sprintf("the record was damaged (%v): set aside as %s and begun anew; what runs is compared afresh, and good revisions are learnt again", damage, filepath.Base(aside)), nil
}

// inspect tells what is damaged in the file at path; a file that does not exist
// or is empty is not.
func inspect(path string) (damage, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	return verify(f, info.Size()), nil
}

// openBolt opens the database file with its buckets. bbolt panics on damage; the
// file was verified before, so that this is the last resort.
func openBolt(path string) (db *bbolt.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("database: %v", r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, NoStatistics: true})
	if err != nil {
		return nil, err
	}
	if err := makeBuckets(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, syncDir(filepath.Dir(path))
}

// makeBuckets makes the buckets that are missing; a whole database is not
// written to.
func makeBuckets(db *bbolt.DB) error {
	missing := false
	names := []string{recordsBucket, historyBucket, logsBucket, agentBucket, brokenBucket}
	if err := db.View(func(tx *bbolt.Tx) error {
		for _, name := range names {
			missing = missing || tx.Bucket([]byte(name)) == nil
		}
		return nil
	}); err != nil || !missing {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}
