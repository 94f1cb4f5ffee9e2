package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"sync"

	"golang.org/x/sys/unix"

	"syncd.io/syncd/internal/source"
)

// write puts what was not refused, and is not there yet, below dir: files first and links last, so that
// no file can be written through a link.
func write(ctx context.Context, objects objectReader, entries []entry, dir string) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the snapshot's directory: %w", err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, links := range []bool{false, true} {
		for _, e := range entries {
			if e.Refused != "" || e.kept || links != (e.Mode == source.ModeLink) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			if err := writeOne(root, objects, e); err != nil {
				return fmt.Errorf("write %s: %w", e.Path, err)
			}
		}
	}
	return flush(root, entries)
}

const (
	// flushers is how many files are synced at once: file systems join such writes,
	// one after the other would cost milliseconds each.
	flushers = 8
	// few is up to how many files are synced one by one; beyond, the whole file system
	// is, which costs less than thousands of them.
	few = 200
)

// flush makes all files durable that were written.
func flush(root *os.Root, entries []entry) error {
	var written []string
	for _, e := range entries {
		if e.Refused == "" && !e.kept && e.Mode != source.ModeLink {
			written = append(written, e.Path)
		}
	}
	if len(written) > few {
		return flushAll(root)
	}
	failed := make([]error, flushers)
	var all sync.WaitGroup
	for worker := range failed {
		all.Go(func() {
			for i := worker; i < len(written) && failed[worker] == nil; i += flushers {
				failed[worker] = flushOne(root, written[i])
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func flushAll(root *os.Root) error {
	f, err := root.Open(".")
	if err == nil {
		err = errors.Join(os.NewSyscallError("syncfs", unix.Syncfs(int(f.Fd()))), f.Close())
	}
	if err != nil {
		return fmt.Errorf("sync the snapshot: %w", err)
	}
	return nil
}

func flushOne(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}

func writeOne(root *os.Root, objects objectReader, e entry) error {
	if err := root.MkdirAll(path.Dir(e.Path), 0o755); err != nil {
		return err
	}
	if e.Mode == source.ModeLink {
		return root.Symlink(string(e.content), e.Path)
	}
	perm := os.FileMode(e.Mode & 0o777)
	f, err := root.OpenFile(e.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if e.content != nil {
		_, err = f.Write(e.content)
	} else {
		err = objects.copy(f, e.hash, e.Size)
	}
	return errors.Join(err, f.Chmod(perm), f.Close())
}
