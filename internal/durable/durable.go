// Package durable puts on disk what has to be there after a crash of the machine.
// It is a leaf: every room may use it.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SyncDir has the names in a directory on disk: what was made, renamed or removed
// there stays so.
func SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// Replace writes a file that only its owner may read, in place of the one that is
// there. After a crash, of the program or of the machine, either the old one or
// the new one is there, whole. Beside it PATH.new is used, by one caller at a time.
func Replace(path string, content []byte) error {
	fresh := path + ".new"
	if err := write(fresh, content); err != nil {
		return errors.Join(err, discard(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return errors.Join(err, discard(fresh))
	}
	return SyncDir(filepath.Dir(path))
}

// write has a new file's whole content on disk. One that a crash left is not
// trusted, nor what it allows whom.
func write(path string, content []byte) error {
	if err := discard(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// discard removes a file that may not be there.
func discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
