// Package repo is the snapshot of a commit as the rendering of untrusted content may
// see it: nothing outside it, and every read remembered.
package repo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// maxLinks is how many symlinks one path may go through, as in Linux.
const maxLinks = 40

// What is wrong with a path: it leads out of the repository, or its symlinks lead
// nowhere.
var (
	ErrOutside = errors.New("the path leaves the repository")
	ErrLinks   = errors.New("too many symlinks")
)

// Repo is the snapshot as an app may see it. Every read goes through os.Root
// and is remembered as an input.
type Repo struct {
	root    *os.Root
	base    string // absolute, as compose-go sees it
	tracked map[string]string
	paths   []string // tracked's keys in order
	refused map[string]string
	inputs  map[string]bool
}

// Open opens the snapshot in a directory, without anything tracked. The caller
// closes it.
func Open(dir string) (*Repo, error) {
	base, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the snapshot %s: %w", dir, err)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("open the snapshot: %w", err)
	}
	return &Repo{root: root, base: base, inputs: map[string]bool{}}, nil
}

// Close releases the snapshot's directory.
func (r *Repo) Close() error { return r.root.Close() }

// Base is the snapshot's absolute directory, which no message shows.
func (r *Repo) Base() string { return r.base }

// Track tells which paths Git has, and which of them were not written. Paths are
// tracked's keys in order; where they are nil, they are worked out.
func (r *Repo) Track(tracked map[string]string, paths []string, refused map[string]string) {
	if paths == nil {
		paths = slices.Sorted(maps.Keys(tracked))
	}
	r.tracked, r.paths, r.refused = tracked, paths, refused
}

// Abs returns the absolute form of a repository path.
func (r *Repo) Abs(name string) string {
	return filepath.Join(r.base, filepath.FromSlash(name))
}

// Rel returns the repository path of an absolute path, false where it lies
// outside.
func (r *Repo) Rel(abs string) (string, bool) {
	rel, err := filepath.Rel(r.base, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// Join puts a path written by the user on a repository directory: absolute
// paths and those that climb out are ErrOutside.
func Join(dir, name string) (string, error) {
	joined := path.Join(dir, name)
	if path.IsAbs(name) || strings.HasPrefix(name, "~") || !Local(joined) {
		return "", ErrOutside
	}
	return joined, nil
}

// Local tells whether a clean path stays below where it starts.
func Local(name string) bool {
	return name != ".." && !strings.HasPrefix(name, "../") && !path.IsAbs(name)
}

// Read returns a file's content. Errors are Rejected and name the file.
func (r *Repo) Read(name string, limit int64) ([]byte, error) {
	r.inputs[name] = true
	if why, ok := r.refused[name]; ok {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %s", name, why))
	}
	canonical, err := r.Follow(name)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %w", name, err))
	}
	r.inputs[canonical] = true
	data, err := r.readRegular(canonical, limit)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %w", name, Plain(err)))
	}
	return data, nil
}

func (r *Repo) readRegular(name string, limit int64) ([]byte, error) {
	info, err := r.root.Stat(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%d bytes are more than the limit of %d", info.Size(), limit)
	}
	file, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

// Size is how long a regular file is, in bytes; 0 where there is none.
func (r *Repo) Size(name string) int64 {
	info, err := r.root.Stat(filepath.FromSlash(name))
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// Head returns the beginning of a regular file; nothing where there is none.
func (r *Repo) Head(name string, limit int64) string {
	if r.Size(name) == 0 {
		return ""
	}
	file, err := r.root.Open(filepath.FromSlash(name))
	if err != nil {
		return ""
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit))
	if err != nil {
		return ""
	}
	return string(data)
}

// Exists tells whether a path is there and stays inside the repository. It is
// an input either way: the app is rendered again when it appears.
func (r *Repo) Exists(name string) bool {
	r.inputs[name] = true
	if _, refused := r.refused[name]; refused {
		return true
	}
	_, err := r.root.Lstat(filepath.FromSlash(name))
	return err == nil
}

// Follow resolves the symlinks of a path inside the repository, which become
// inputs. A part that does not exist is kept as it is.
func (r *Repo) Follow(name string) (string, error) { return r.FollowIn(".", name) }

// FollowIn does so for a path below a directory without symlinks in its own
// path, and never leaves that directory, as if it were all there is.
func (r *Repo) FollowIn(top, name string) (string, error) {
	rest, done, links := strings.Split(path.Clean(name), "/"), top, 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." && done == top {
			return "", ErrOutside
		}
		next, target, err := r.step(done, part)
		if err != nil {
			return "", err
		}
		if target == "" {
			done = next
			continue
		}
		r.inputs[path.Join(done, part)] = true // a link that leads elsewhere is a change
		if links++; links > maxLinks {
			return "", ErrLinks
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// step goes one path element down; target is where a symlink points to.
func (r *Repo) step(dir, part string) (next, target string, err error) {
	switch part {
	case "", ".":
		return dir, "", nil
	case "..":
		return path.Dir(dir), "", nil
	}
	next = path.Join(dir, part)
	info, err := r.root.Lstat(filepath.FromSlash(next))
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return next, "", ignoreMissing(err)
	}
	target, err = r.root.Readlink(filepath.FromSlash(next))
	if err != nil {
		return "", "", Plain(err)
	}
	if path.IsAbs(target) || target == "" {
		return "", "", ErrOutside
	}
	return next, target, nil
}

func ignoreMissing(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || notDir(err) {
		return nil
	}
	return Plain(err)
}

// notDir tells of "a file is used as a directory", which is as missing.
func notDir(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.Contains(p.Err.Error(), "not a directory")
}

// Plain drops the operation and the path that os puts into its errors: the
// caller names the path as the user knows it.
func Plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		if errors.Is(err, fs.ErrNotExist) {
			return fs.ErrNotExist
		}
		return p.Err
	}
	return err
}
