package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// renew makes the directory of a snapshot that nobody needs any more the one of the
// new snapshot: what is not the same is removed, for the rest to be written. To link
// each file would cost more than all else about a small change.
func (b *base) renew(entries []entry, dir string) (err error) {
	if err := os.Rename(b.dir, dir); err != nil {
		return fmt.Errorf("take over an old snapshot: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("take over an old snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := b.clear(root, entries); err != nil {
		return fmt.Errorf("clear an old snapshot: %w", err)
	}
	top, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return fmt.Errorf("look at an old snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, closeDir(top)) }()
	return check(top, 0, keptOf(entries))
}

// clear removes the files that are not kept, and the directories that have none then.
func (b *base) clear(root *os.Root, entries []entry) error {
	dirs := map[string]bool{}
	for _, f := range b.files {
		for len(entries) > 0 && entries[0].Path < f.Path {
			entries = entries[1:]
		}
		if f.Refused != "" || len(entries) > 0 && entries[0].Path == f.Path && entries[0].kept {
			continue
		}
		if err := root.Remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			return err
		}
		for d := path.Dir(f.Path); d != "." && !dirs[d]; d = path.Dir(d) {
			dirs[d] = true
		}
	}
	inner := make([]string, 0, len(dirs))
	for d := range dirs {
		inner = append(inner, d)
	}
	slices.Sort(inner)
	for _, d := range slices.Backward(inner) { // the deeper ones first
		if err := root.Remove(d); err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			return err
		}
	}
	return nil
}

// check looks at what is kept; what is not as listed is removed, and written then.
func check(dir, at int, kept []*entry) error {
	return each(kept, at,
		func(name string, e *entry) { e.kept = asListed(dir, name, e.File) },
		func(name string, at int, kept []*entry) error {
			inner, err := openDir(dir, name)
			if err != nil {
				drop(kept)
				return nil //nolint:nilerr // not there any more, or a link: all of it is written
			}
			return errors.Join(check(inner, at, kept), closeDir(inner))
		})
}
