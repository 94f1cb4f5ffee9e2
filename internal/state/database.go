package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"syncd.io/syncd/internal/durable"
)

// openDatabase opens record.db and makes it where it is missing. One that is
// proven to be damaged is set aside and replaced by a fresh one; note tells. It
// is called under the lock.
func openDatabase(dir string) (db *bbolt.DB, note string, err error) {
	path := filepath.Join(dir, "record.db")
	there, damage, err := verified(path)
	if err == nil && !there {
		err = begin(path, func() error { return nil })
	}
	if err == nil && damage == nil {
		db, err = openBolt(path)
	}
	if damaged(err) {
		damage, err = err, nil
	}
	if err == nil && damage != nil {
		db, err = replace(path)
	}
	if err == nil {
		note, err = countOn(db, path, damage)
	}
	switch {
	case err == nil:
		return db, note, nil
	case db != nil:
		err = errors.Join(err, db.Close())
	}
	return nil, "", trouble(dir, "open record", err)
}

// verified tells whether there is a file at path, and what is damaged in it; an empty
// one is none. Errors are the disk's.
func verified(path string) (there bool, damage, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, nil, err
	}
	damage, err = inspect(f, info.Size())
	return true, damage, err
}

// inspect tells damage from what cannot be read, which says nothing about it.
func inspect(file io.ReaderAt, size int64) (damage, err error) {
	disk := &disk{ReaderAt: file}
	damage = verify(disk, size)
	if disk.failed != nil {
		return nil, fmt.Errorf("read it: %w", disk.failed)
	}
	return damage, nil
}

// disk remembers the first error of reading that is not the file's end.
type disk struct {
	io.ReaderAt
	failed error
}

// ReadAt implements io.ReaderAt.
func (d *disk) ReadAt(p []byte, at int64) (int, error) {
	n, err := d.ReaderAt.ReadAt(p, at)
	if err != nil && !errors.Is(err, io.EOF) && d.failed == nil {
		d.failed = err
	}
	return n, err
}

// errPanic is bbolt's way to say that it does not understand the file.
var errPanic = errors.New("database")

// damaged tells whether err proves that the content of the file is at fault: not
// the disk, nor somebody who has it open.
func damaged(err error) bool {
	for _, proof := range []error{errPanic, berrors.ErrInvalid, berrors.ErrVersionMismatch, berrors.ErrChecksum} {
		if errors.Is(err, proof) {
			return true
		}
	}
	return false
}

// openBolt opens the database file with its buckets. bbolt panics on damage; the
// file was verified before, so that this is the last resort.
func openBolt(path string) (db *bbolt.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, NoStatistics: true})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(makeBuckets(db), durable.SyncDir(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// makeBuckets makes the buckets that are missing; a whole database is not
// written to.
func makeBuckets(db *bbolt.DB) error {
	missing := false
	names := append(sealedBuckets(), brokenBucket)
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
