package fetch

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"syncd.io/syncd/internal/source"
)

// share links the files that the base has as well into a new directory. A file that
// cannot be linked, or is not as it should be, is not kept: it is written then.
func (b *base) share(entries []entry, dir string) (err error) {
	kept := keptOf(entries)
	if len(kept) == 0 {
		return nil
	}
	fresh, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return fmt.Errorf("share files: %w", err)
	}
	defer func() { err = errors.Join(err, closeDir(fresh)) }()
	old, err := openDir(unix.AT_FDCWD, b.dir)
	if err != nil {
		drop(kept)
		return nil // the base is gone: all is written
	}
	defer func() { err = errors.Join(err, closeDir(old)) }()
	if err := share(old, fresh, 0, kept); err != nil {
		return fmt.Errorf("share files: %w", err)
	}
	return nil
}

// keptOf are the entries that are not written, directory by directory.
func keptOf(entries []entry) []*entry {
	var kept []*entry
	for i := range entries {
		if entries[i].kept {
			kept = append(kept, &entries[i])
		}
	}
	slices.SortFunc(kept, func(a, b *entry) int { return byDirectory(a.Path, b.Path) })
	return kept
}

// byDirectory orders paths so that all below a directory follow one another.
func byDirectory(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/' || x < y && y != '/':
			return -1
		default:
			return 1
		}
	}
	return len(a) - len(b)
}

func drop(kept []*entry) {
	for _, e := range kept {
		e.kept = false
	}
}

// each goes through entries whose paths go on at the position: file is called for each
// that is there, dir once for each directory with all that is below it.
func each(kept []*entry, at int, file func(name string, e *entry), dir func(name string, at int, kept []*entry) error) error {
	for len(kept) > 0 {
		name, _, deeper := strings.Cut(kept[0].Path[at:], "/")
		if !deeper {
			file(name, kept[0])
			kept = kept[1:]
			continue
		}
		prefix := kept[0].Path[:at+len(name)+1]
		n := 1
		for n < len(kept) && strings.HasPrefix(kept[n].Path, prefix) {
			n++
		}
		if err := dir(name, len(prefix), kept[:n]); err != nil {
			return err
		}
		kept = kept[n:]
	}
	return nil
}

// share links entries from one open directory into another; at is where their paths
// go on below these.
func share(old, fresh, at int, kept []*entry) error {
	return each(kept, at,
		func(name string, e *entry) { e.kept = link(old, fresh, name, e.File) },
		func(name string, at int, kept []*entry) error { return shareDir(old, fresh, name, at, kept) })
}

func shareDir(old, fresh int, name string, at int, kept []*entry) (err error) {
	inner, err := openDir(old, name)
	if err != nil {
		drop(kept)
		return nil // not there any more, or a link: all of it is written
	}
	defer func() { err = errors.Join(err, closeDir(inner)) }()
	if err := unix.Mkdirat(fresh, name, 0o755); err != nil {
		return &os.PathError{Op: "mkdir", Path: name, Err: err}
	}
	made, err := openDir(fresh, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDir(made)) }()
	return share(inner, made, at, kept)
}

// link tells whether the file is there now, as it should be.
func link(old, fresh int, name string, f source.File) bool {
	return unix.Linkat(old, name, fresh, name, 0) == nil && asListed(fresh, name, f)
}

// asListed tells whether a file is as it should be; one that is not is removed.
func asListed(dir int, name string, f source.File) bool {
	var info unix.Stat_t
	if unix.Fstatat(dir, name, &info, unix.AT_SYMLINK_NOFOLLOW) == nil && info.Mode == f.Mode && info.Size == f.Size {
		return true
	}
	_ = unix.Unlinkat(dir, name, 0) // where that fails, writing it says why
	return false
}

func openDir(at int, name string) (int, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, nil
}

func closeDir(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }
