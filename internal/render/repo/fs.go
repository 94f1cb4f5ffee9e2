package repo

import (
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// FS returns a directory of the snapshot, without symlinks in its path, as a file
// system. Symlinks in it are followed as far as the snapshot reaches, and all that
// lies below it is an input.
func (r *Repo) FS(dir string) fs.FS {
	r.Input(dir + "/")
	return directory{repo: r, dir: dir}
}

// directory is one of the snapshot.
type directory struct {
	repo *Repo
	dir  string
}

// Open opens a file or a directory.
func (d directory) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	written := path.Join(d.dir, name)
	if why, refused := d.repo.refused[written]; refused {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("%s: %w", why, fs.ErrInvalid)}
	}
	canonical, err := d.repo.Follow(written)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if canonical != written {
		d.repo.Input(canonical)
	}
	return d.repo.root.Open(filepath.FromSlash(canonical))
}
