package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/storage/filesystem"
	"golang.org/x/sys/unix"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// store is the object store that outlasts a fetch: a bare repository below the cache
// directory, which one child at a time works on. It is disposable: whatever is odd
// about it, it is set aside and made anew.
type store struct {
	dir     string
	lock    *os.File
	objects *filesystem.Storage
	// added are the packs that came since it was opened: their paths without suffix.
	added []string
	// again are those among them that had been there before.
	again []string
	// filters is set where the server that was asked last can give commits alone; not
	// where none was asked.
	filters bool
	// bulky is set where what came may hold much that is not needed.
	bulky bool
}

// errOdd is in the chain of an error about a store that is not as it was left.
var errOdd = errors.New("the object store is not as it was left")

const (
	headFile   = "HEAD"
	headText   = "ref: refs/heads/none\n"
	configText = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	packDir    = "objects/pack"
	// brokenPrefix begins the names of what source.Repository.Collect removes.
	brokenPrefix = ".broken-"
	tempPrefix   = "tmp_"
)

// openStore opens the store in dir, or makes it; an odd one is set aside first. The
// caller has to close it.
func openStore(dir string) (*store, error) {
	s, err := lockStore(dir)
	if err != nil {
		return nil, full(err)
	}
	err = s.sound()
	if errors.Is(err, errOdd) {
		err = s.anew()
	}
	if err != nil {
		return nil, full(errors.Join(err, s.Close()))
	}
	s.reopen()
	return s, nil
}

// lockStore makes sure that dir is there, a directory, and nobody else's.
func lockStore(dir string) (*store, error) {
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		if err := setAside(dir); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the object store: %w", err)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the object store: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		err = fault.As(fault.Unreachable, fmt.Errorf("lock the object store %s: %w", dir, err))
		return nil, errors.Join(fault.Hint(err, "another process works on it; it is tried again"), lock.Close())
	}
	return &store{dir: dir, lock: lock}, nil
}

// Close ends the work on it.
func (s *store) Close() error { return s.lock.Close() }

// reopen looks at the packs again.
func (s *store) reopen() { s.objects = remote.Open(s.dir, true) }

// sound checks the frame: what is in the objects is checked as they are read. What
// a child that was killed left is removed.
func (s *store) sound() error {
	head, err := os.ReadFile(filepath.Join(s.dir, headFile))
	if errors.Is(err, fs.ErrNotExist) && empty(s.dir) {
		return s.begin()
	}
	if err != nil || string(head) != headText {
		return errOdd
	}
	if _, err := os.Lstat(filepath.Join(s.dir, "objects/info")); !errors.Is(err, fs.ErrNotExist) {
		return errOdd // alternates, which would lead elsewhere
	}
	return s.tidy()
}

func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// begin lays out an empty repository; HEAD comes last.
func (s *store) begin() error {
	s.added, s.again = nil, nil
	for _, name := range []string{packDir, "refs"} {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o700); err != nil {
			return fmt.Errorf("make the object store: %w", err)
		}
	}
	for _, f := range [][2]string{{"config", configText}, {headFile, headText}} {
		if err := durable.Replace(filepath.Join(s.dir, f[0]), []byte(f[1])); err != nil {
			return fmt.Errorf("make the object store: %w", err)
		}
	}
	return nil
}

// tidy removes what was not finished. Every pack has an index then.
func (s *store) tidy() error {
	all, err := packFiles(filepath.Join(s.dir, packDir))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errOdd, err)
	case len(all.bare)+len(all.strange) > 0:
		return errOdd
	}
	if err := all.removeLeftovers(); err != nil {
		return fmt.Errorf("tidy up the object store: %w", err)
	}
	return nil
}

// anew sets the store aside and begins another at its place.
func (s *store) anew() error {
	if err := errors.Join(setAside(s.dir), s.lock.Close()); err != nil {
		return err
	}
	fresh, err := lockStore(s.dir)
	if err != nil {
		return err
	}
	s.lock = fresh.lock
	if err := s.begin(); err != nil {
		return err
	}
	s.reopen()
	return nil
}

// setAside moves path out of the way; the next Collect removes it.
func setAside(path string) error {
	aside, err := os.MkdirTemp(filepath.Dir(path), brokenPrefix+"objects-")
	if err == nil {
		err = os.Rename(path, filepath.Join(aside, filepath.Base(path)))
	}
	if err != nil {
		return fmt.Errorf("set the object store aside: %w", err)
	}
	return nil
}
