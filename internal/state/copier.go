package state

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// copier copies a tree into a draft.
type copier struct {
	draft  *draft
	from   *os.Root // the tree itself: no link leads out of it
	source MountSource
}

// tree copies the directory at dir, slash-separated and relative to the tree.
func (c *copier) tree(ctx context.Context, dir string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	target := path.Join(c.source.Name, dir)
	if err := c.draft.root.Mkdir(target, 0o755); err != nil {
		return err
	}
	entries, err := fs.ReadDir(c.from.FS(), dir)
	if err != nil {
		return refused(c.named(dir), err)
	}
	for _, entry := range entries {
		if err := c.entry(ctx, path.Join(dir, entry.Name()), entry.Type()); err != nil {
			return err
		}
	}
	return c.finish(target)
}

func (c *copier) entry(ctx context.Context, name string, kind fs.FileMode) error {
	target := path.Join(c.source.Name, name)
	switch {
	case kind.IsDir():
		return c.tree(ctx, name)
	case kind&fs.ModeSymlink != 0:
		return c.link(name, target)
	default:
		return c.draft.file(ctx, c.source, item{from: c.from, name: name, shown: c.named(name), target: target})
	}
}

// link copies a symbolic link that stays inside the tree; one that leads to
// nothing there is kept, as Git has it.
func (c *copier) link(name, target string) error {
	to, err := c.from.Readlink(filepath.FromSlash(name))
	if err != nil {
		return refused(c.named(name), err)
	}
	end := path.Join(path.Dir(name), filepath.ToSlash(to))
	_, err = c.from.Stat(filepath.FromSlash(name))
	if innocent(err) {
		return err
	}
	if path.IsAbs(to) || end == ".." || strings.HasPrefix(end, "../") || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refused(c.named(name), errors.New("the link leaves the directory that is mounted"))
	}
	if err := c.draft.root.Symlink(to, target); err != nil {
		return err
	}
	return own(c.source, func() error { return c.draft.root.Lchown(target, c.source.UID, c.source.GID) })
}

// finish gives a directory its owner and mode and has its names on disk.
func (c *copier) finish(target string) error {
	dir, err := c.draft.root.Open(target)
	if err != nil {
		return err
	}
	err = own(c.source, func() error { return dir.Chown(c.source.UID, c.source.GID) })
	if err == nil {
		err = dir.Chmod(0o755)
	}
	return errors.Join(err, dir.Sync(), dir.Close())
}

// named returns a path of the tree as it is in the repository.
func (c *copier) named(name string) string { return path.Join(c.source.Path, name) }
