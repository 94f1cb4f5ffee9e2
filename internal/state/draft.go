package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
)

// draft is a directory that a Put fills before it is renamed into place. The
// lock on it tells it from the leftovers of a process that was killed.
type draft struct {
	path string
	lock *os.File
	root *os.Root
}

func (s Mounts) draft(hash string) (*draft, error) {
	dir, err := os.MkdirTemp(s.Dir, draftPrefix+hash+"-")
	if err != nil {
		return nil, err
	}
	d := &draft{path: dir}
	if d.lock, err = os.Open(dir); err == nil {
		err = syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Chmod(dir, 0o711)
	}
	if err == nil {
		d.root, err = os.OpenRoot(dir)
	}
	if err != nil {
		return nil, errors.Join(err, d.discard())
	}
	return d, nil
}

// settle renames the draft into place. Where its home exists (one hash, another
// name), its content moves in.
func (d *draft) settle(home, name string) error {
	if err := d.lock.Sync(); err != nil {
		return err
	}
	err := os.Rename(d.path, home)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		err = os.Rename(filepath.Join(d.path, name), filepath.Join(home, name))
		if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
			return nil // another Put of the same content was faster
		}
		err = errors.Join(err, durable.SyncDir(home))
	}
	return errors.Join(err, durable.SyncDir(filepath.Dir(home)))
}

// discard removes what is left of the draft and lets go of it.
func (d *draft) discard() error {
	var failed error
	if d.root != nil {
		failed = d.root.Close()
	}
	if d.lock != nil {
		failed = errors.Join(failed, d.lock.Close())
	}
	return errors.Join(failed, os.RemoveAll(d.path))
}

// fill writes the source into the draft.
func (d *draft) fill(ctx context.Context, root string, m MountSource) error {
	if m.Path == "" {
		return d.write(m, m.Name, func(w io.Writer) error {
			_, err := w.Write(m.Content)
			return err
		}, 0)
	}
	from, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat(filepath.FromSlash(m.Path))
	if err != nil {
		return refused(m.Path, err)
	}
	if info.IsDir() {
		sub, err := from.OpenRoot(filepath.FromSlash(m.Path))
		if err != nil {
			return refused(m.Path, err)
		}
		defer sub.Close()
		return (&copier{draft: d, from: sub, source: m}).tree(ctx, ".")
	}
	return d.file(ctx, m, item{from: from, name: m.Path, shown: m.Path, target: m.Name})
}

// item is one regular file to copy.
type item struct {
	from   *os.Root
	name   string // below from
	shown  string // below the repository's root, for messages
	target string // below the draft
}

// file copies one regular file. Opening does not wait, as it would for the other
// end of a pipe.
func (d *draft) file(ctx context.Context, m MountSource, f item) error {
	in, err := f.from.OpenFile(filepath.FromSlash(f.name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return refused(f.shown, err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return refused(f.shown, errors.New("it is neither a file, a directory nor a link"))
	}
	return d.write(m, f.target, func(w io.Writer) error {
		_, err := io.Copy(w, interruptible{ctx: ctx, r: in})
		return err
	}, info.Mode())
}

// write makes one file with its content, mode and owner, and has it on disk.
func (d *draft) write(m MountSource, target string, content func(io.Writer) error, mode fs.FileMode) error {
	out, err := d.root.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = content(out)
	if err == nil {
		err = own(m, func() error { return out.Chown(m.UID, m.GID) })
	}
	if err == nil {
		err = out.Chmod(permissions(m, mode)) // after chown, which clears bits
	}
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// permissions are those that are asked for, else Git's two.
func permissions(m MountSource, mode fs.FileMode) fs.FileMode {
	switch {
	case m.Mode != 0:
		return fs.FileMode(m.Mode) & fs.ModePerm
	case mode&0o100 != 0:
		return 0o755
	default:
		return 0o644
	}
}

// own changes the owner. Nobody but root can, and 0 is also what is meant by not
// asking for one.
func own(m MountSource, chown func() error) error {
	if os.Geteuid() != 0 && m.UID == 0 && m.GID == 0 {
		return nil
	}
	return chown()
}

// refused rejects what is wrong with the source itself; what the disk says, or the
// system about the agent, is passed on.
func refused(source string, err error) error {
	if innocent(err) {
		return err
	}
	var failed *fs.PathError
	if errors.As(err, &failed) {
		err = failed.Err // the path is relative to the repository, and named once
	}
	return fault.As(fault.Rejected, fmt.Errorf("read %s: %w", path.Clean(source), err))
}

// innocent tells whether err says nothing about a source.
func innocent(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) && !slices.Contains([]syscall.Errno{syscall.ENOENT, syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG, syscall.ENXIO}, number)
}

// interruptible stops a copy when its context ends.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

// Read fails with the context's cause once that has ended.
func (i interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, context.Cause(i.ctx)
	}
	return i.r.Read(p)
}
