package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// Mounts are the files and trees that containers mount, each in a directory
// that is named by the hash of its content: it never changes once it is there.
type Mounts struct {
	// Dir is the absolute directory that holds them, below the state directory.
	Dir string
	// Grace is for how long after its last Put an entry is not collected: a pass
	// that has put it may not have recorded yet that it needs it. 0 is not at all.
	Grace time.Duration
}

// MountSource is one file or tree to materialise. Its fields are those of the
// renderer's mounts.
type MountSource struct {
	// Hash is over bytes, names, modes and owner: the directory's name.
	Hash string
	// Name is the entry in it.
	Name string
	// Path is the source below the root that Put is given; empty where Content is it.
	Path    string
	Content []byte
	// Mode is the permission bits of every file; 0 is 0644, or 0755 where the
	// source may be executed.
	Mode uint32
	// UID and GID own it.
	UID, GID int
}

// draftPrefix begins the name of a directory that is being filled, or removed.
const draftPrefix = ".new-"

// abandoned is the age from which a draft that nobody holds is a leftover.
const abandoned = time.Minute

// Put materialises m at DIR/HASH/NAME, from files below the directory root. It
// appears whole or not at all, and is on disk when Put returns; what is there
// already is left as it is. A source that leaves root, holds special files, or
// has links that leave the mounted tree is rejected; trouble with the disk is
// blocked.
func (s Mounts) Put(ctx context.Context, root string, m MountSource) error {
	if !single(m.Hash) || strings.HasPrefix(m.Hash, ".") || !single(m.Name) {
		return fault.As(fault.Rejected, fmt.Errorf("materialise %s: %q/%q is no name for a mount", m.Path, m.Hash, m.Name))
	}
	home := filepath.Join(s.Dir, m.Hash)
	if _, err := os.Lstat(filepath.Join(home, m.Name)); err == nil {
		return s.failed(ctx, m, os.Chtimes(home, time.Time{}, time.Now()))
	}
	if err := s.prepare(); err != nil {
		return s.failed(ctx, m, err)
	}
	draft, err := s.draft(m.Hash)
	if err != nil {
		return s.failed(ctx, m, err)
	}
	err = draft.fill(ctx, root, m)
	if err == nil {
		err = draft.settle(home, m.Name)
	}
	return s.failed(ctx, m, errors.Join(err, draft.discard()))
}

// Collect removes every entry whose hash is not in keep and that is older than
// the grace, and what an interrupted Put or Collect left behind. It returns the
// hashes that it removed. What cannot be removed keeps none of the others: the error
// is of the first.
func (s Mounts) Collect(keep map[string]bool) ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, trouble(s.Dir, "list mounts", err)
	}
	var removed []string
	var failed error
	for _, entry := range entries {
		gone, err := s.collect(entry, keep)
		switch {
		case err != nil && failed == nil:
			failed = trouble(s.Dir, "collect mount "+entry.Name(), err)
		case gone:
			removed = append(removed, entry.Name())
		}
	}
	return removed, failed
}

// collect removes one entry where it may, and tells whether it was a mount.
func (s Mounts) collect(entry fs.DirEntry, keep map[string]bool) (bool, error) {
	path := filepath.Join(s.Dir, entry.Name())
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	age := time.Since(info.ModTime())
	if strings.HasPrefix(entry.Name(), draftPrefix) {
		if age < abandoned || held(path) {
			return false, nil
		}
		return false, os.RemoveAll(path)
	}
	if keep[entry.Name()] || age < s.Grace {
		return false, nil
	}
	return s.remove(entry.Name())
}

// remove removes a mount, and tells whether it was there. Its name goes first: what a
// kill leaves of the rest is no mount, and collected like a draft.
func (s Mounts) remove(hash string) (bool, error) {
	gone := filepath.Join(s.Dir, draftPrefix+hash+"-gone")
	if err := os.RemoveAll(gone); err != nil {
		return false, err
	}
	err := os.Rename(filepath.Join(s.Dir, hash), gone)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = durable.SyncDir(s.Dir)
	}
	if err == nil {
		err = os.RemoveAll(gone)
	}
	return err == nil, err
}

// held tells whether a Put is filling the draft at path.
func held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}

// prepare makes the directory. Its users may pass through it and not list it:
// whoever a container runs as must reach what is mounted.
func (s Mounts) prepare() error {
	if err := os.MkdirAll(filepath.Dir(s.Dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(s.Dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Chmod(s.Dir, 0o711)
}

// failed says which mount an error is about; an interruption and a rejection
// stay what they are.
func (s Mounts) failed(ctx context.Context, m MountSource, err error) error {
	if err == nil {
		return nil
	}
	what := m.Path
	if what == "" {
		what = m.Name
	}
	doing := "materialise " + what
	if ctx.Err() != nil || fault.Of(err) == fault.Rejected {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return trouble(s.Dir, doing, err)
}

// single tells whether name is one path element, of something below where it is used.
func single(name string) bool {
	return filepath.IsLocal(name) && name != "." && !strings.ContainsAny(name, "/\\\x00")
}
