package gate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"syncd.io/syncd/internal/durable"
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
	if err := durable.Replace(s.path, raw); err != nil {
		err = fault.As(fault.Blocked, fmt.Errorf("write the gate's table: %w", err))
		return fault.Hint(err, "the table in force stays; give the gate's user a directory with room that it may write")
	}
	return nil
}
