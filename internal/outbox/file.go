package outbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"syncd.io/syncd/internal/durable"
)

// lockWait is for how long another process may have the file open.
const lockWait = 5 * time.Second

// The names of the file's buckets.
const (
	queueBucket  = "queue"
	cursorBucket = "cursors"
	shelfBucket  = "shelves"
)

var (
	// errPanic is what remains of a panic over a damaged file.
	errPanic = errors.New("it cannot be read")
	// errShort is a file of which less is left than its head.
	errShort = errors.New("it is cut short")
)

// openFile opens the file; one that is damaged is set aside, and note tells.
func openFile(path string) (db *bbolt.DB, note string, err error) {
	db, err = openWhole(path)
	if !damaged(err) {
		return db, "", err
	}
	aside := path + ".broken-" + time.Now().UTC().Format("20060102T150405")
	if moved := os.Rename(path, aside); moved != nil {
		return nil, "", errors.Join(err, moved)
	}
	note = fmt.Sprintf("the outbox was damaged (%v): set aside as %s and begun anew; what waited in it is not sent", err, filepath.Base(aside))
	db, err = openWhole(path)
	return db, note, err
}

// openWhole opens the file and reads all of it once, so that damage shows here and
// not in the middle of work. A part of the file that is missing is a fault of the
// memory that it is mapped to, which ends the process unless it is made a panic.
func openWhole(path string) (db *bbolt.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%w: %v", errPanic, r)
		}
	}()
	if err := whole(path); err != nil {
		return nil, err
	}
	db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait, NoStatistics: true})
	if err != nil {
		return nil, err
	}
	err = errors.Join(makeBuckets(db), db.View(readAll), durable.SyncDir(filepath.Dir(path)))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// whole refuses a file that is neither empty nor has the two pages of its head, of which
// the library says so by no error that can be told from others.
func whole(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if size := info.Size(); info.Mode().IsRegular() && size > 0 && size < 2*int64(os.Getpagesize()) {
		return fmt.Errorf("%w: %d bytes are left", errShort, size)
	}
	return nil
}

func makeBuckets(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{queueBucket, cursorBucket, shelfBucket} {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// readAll touches every byte that is stored.
func readAll(tx *bbolt.Tx) error {
	return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return touch(b) })
}

func touch(b *bbolt.Bucket) error {
	var sum byte
	err := b.ForEach(func(key, value []byte) error {
		if value == nil {
			return touch(b.Bucket(key))
		}
		for _, c := range value {
			sum ^= c
		}
		return nil
	})
	if err == nil && sum == 0 {
		return nil // the sum is of no meaning; it is used, so that the bytes are
	}
	return err
}

// damaged tells whether err proves that the content of the file is at fault.
func damaged(err error) bool {
	for _, proof := range []error{errPanic, errShort, berrors.ErrInvalid, berrors.ErrVersionMismatch, berrors.ErrChecksum} {
		if errors.Is(err, proof) {
			return true
		}
	}
	return false
}
