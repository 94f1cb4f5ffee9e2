package state

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"

	"syncd.io/syncd/internal/fault"
)

// trouble wraps an error of the state directory with what was being done and
// with what a person can do about it. It is blocked: trouble with a disk is no
// reason to quarantine or to roll back.
func trouble(dir, doing string, err error) error {
	if fault.Of(err) == fault.Blocked && fault.Advice(err) != "" {
		return err
	}
	return fault.Hint(fault.As(fault.Blocked, fmt.Errorf("%s: %w", doing, err)), advice(dir, err))
}

func advice(dir string, err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return "free some space on the disk of " + dir + "; nothing was lost, and what runs goes on running"
	case errors.Is(err, syscall.EROFS):
		return "the disk of " + dir + " is read-only: mount it writable, or choose another directory with --state"
	case errors.Is(err, fs.ErrPermission):
		return "run syncd as a user that may write to " + dir + ", or choose another directory with --state"
	case errors.Is(err, berrors.ErrTimeout):
		return "another program has record.db in " + dir + " open: end it (`fuser` shows which)"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return dir + " has to be a directory: choose another with --state"
	default:
		return "check the disk of " + dir
	}
}
