package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/source/remote"
)

const (
	// nonblocking keeps the opening of a pipe from waiting for a writer.
	nonblocking    = syscall.O_NONBLOCK
	incomingPrefix = "incoming-"
)

// hold is the repository that bundles are taken into. What is in it is complete:
// with each commit, all that it builds on.
type hold struct {
	dir     string
	store   *filesystem.Storage
	objects objectReader
	// keep is set where others may be reading: no pack may go.
	keep bool
}

// openHold opens the repository, or makes it, and removes what broken off imports
// left.
func openHold(dir string, keep bool) (*hold, error) {
	if err := layOut(dir); err != nil {
		return nil, fmt.Errorf("make the repository of bundles: %w", err)
	}
	h := &hold{dir: dir, keep: keep}
	if err := h.sweep(); err != nil {
		return nil, err
	}
	return h, h.reopen()
}

// layOut makes a bare repository as far as it is missing; what holds other words than
// ours is damaged.
func layOut(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, packDir), 0o700); err != nil {
		return err
	}
	for name, content := range map[string]string{
		"config": configText,
		headFile: headText,
	} {
		if old, err := os.ReadFile(filepath.Join(dir, name)); err == nil && string(old) == content {
			continue
		}
		if err := durable.Replace(filepath.Join(dir, name), []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

// reopen lets the repository know its new packs.
func (h *hold) reopen() error {
	if h.store != nil {
		if err := h.store.Close(); err != nil {
			return err
		}
	}
	store, err := openBare(h.dir)
	h.store, h.objects = store, objectReader{store: store}
	return err
}

// openBare opens what has packs only.
func openBare(dir string) (*filesystem.Storage, error) {
	store := remote.Open(dir, true)
	// an index that cannot be read shows here, and not as a missing object
	_, err := store.EncodedObjectSize(plumbing.NewHash("01"))
	if err != nil && !errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, &damagedHold{err}
	}
	return store, nil
}

// missing returns those objects that are not there.
func (h *hold) missing(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		here, err := h.objects.has(plumbing.NewHash(name))
		if err != nil {
			return nil, &damagedHold{err}
		}
		if !here {
			out = append(out, name)
		}
	}
	return out, nil
}

// has tells whether an object is in the store. HasEncodedObject of a brief store
// looks into no pack.
func (o objectReader) has(hash plumbing.Hash) (bool, error) {
	_, err := o.store.EncodedObjectSize(hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return false, nil
	}
	return err == nil, err
}

// adopt moves a checked pack into the repository: its index first, for a pack without
// one makes the whole look damaged.
func (h *hold) adopt(from, name string) error {
	to := filepath.Join(h.dir, packDir)
	for _, suffix := range []string{".idx", ".pack"} {
		if err := os.Rename(filepath.Join(from, name+suffix), filepath.Join(to, name+suffix)); err != nil {
			return fmt.Errorf("move the bundle's pack into place: %w", err)
		}
	}
	if err := durable.SyncDir(to); err != nil {
		return err
	}
	return h.reopen()
}
