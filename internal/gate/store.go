package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/fault"
)

// store is the table on disk.
type store struct{ path string }

// load returns the table, and false where there is none.
func (s store) load() (Table, bool, error) {
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Table{}, false, nil
	}
	if err != nil {
		return Table{}, false, fmt.Errorf("read the gate's table: %w", err)
	}
	t, err := Decode(raw)
	if err != nil {
		return Table{}, false, fmt.Errorf("%s: %w", s.path, err)
	}
	return t, true, nil
}

// save replaces the table such that after a crash, of the gate or of the
// machine, either the old one or the new one is there, whole.
func (s store) save(t Table) error {
	raw, err := t.Encode()
	if err != nil {
		return err
	}
	fresh := s.path + ".new"
	err = write(fresh, raw)
	if err == nil {
		err = os.Rename(fresh, s.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(s.path))
	}
	if err != nil {
		err = fault.As(fault.Blocked, fmt.Errorf("write the gate's table: %w", err))
		return fault.Hint(err, "the table in force stays; give the gate's user a directory with room that it may write")
	}
	return nil
}

// write has a file's whole content on disk.
func write(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir has the names in a directory on disk.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
