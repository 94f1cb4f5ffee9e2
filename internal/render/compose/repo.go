package compose

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// maxLinks is how many symlinks one path may go through, as in Linux.
const maxLinks = 40

var (
	errOutside = errors.New("the path leaves the repository")
	errLinks   = errors.New("too many symlinks")
)

// repo is the snapshot as an app may see it. Every read goes through os.Root
// and is remembered as an input.
type repo struct {
	root    *os.Root
	base    string // absolute, as compose-go sees it
	tracked map[string]string
	paths   []string // tracked's keys in order
	refused map[string]string
	inputs  map[string]bool
}

func openRepo(dir string) (*repo, error) {
	base, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the snapshot %s: %w", dir, err)
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("open the snapshot: %w", err)
	}
	return &repo{root: root, base: base, inputs: map[string]bool{}}, nil
}

// track tells which paths Git has, and which of them were not written.
func (r *repo) track(tracked, refused map[string]string) {
	r.tracked, r.refused = tracked, refused
	r.paths = make([]string, 0, len(tracked))
	for p := range tracked {
		r.paths = append(r.paths, p)
	}
	slices.Sort(r.paths)
}

// abs returns the absolute form of a repository path.
func (r *repo) abs(name string) string {
	return filepath.Join(r.base, filepath.FromSlash(name))
}

// rel returns the repository path of an absolute path, false where it lies
// outside.
func (r *repo) rel(abs string) (string, bool) {
	rel, err := filepath.Rel(r.base, abs)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// join puts a path written by the user on a repository directory: absolute
// paths and those that climb out are errOutside.
func join(dir, name string) (string, error) {
	joined := path.Join(dir, name)
	if path.IsAbs(name) || strings.HasPrefix(name, "~") || !local(joined) {
		return "", errOutside
	}
	return joined, nil
}

func local(name string) bool {
	return name != ".." && !strings.HasPrefix(name, "../") && !path.IsAbs(name)
}

// read returns a file's content. Errors are Rejected and name the file.
func (r *repo) read(name string, limit int64) ([]byte, error) {
	r.inputs[name] = true
	if why, ok := r.refused[name]; ok {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %s", name, why))
	}
	canonical, err := r.follow(name)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %w", name, err))
	}
	r.inputs[canonical] = true
	data, err := r.readRegular(canonical, limit)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("read %s: %w", name, plain(err)))
	}
	return data, nil
}

func (r *repo) readRegular(name string, limit int64) ([]byte, error) {
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

// size is how long a regular file is, in bytes; 0 where there is none.
func (r *repo) size(name string) int64 {
	info, err := r.root.Stat(filepath.FromSlash(name))
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// head returns the beginning of a regular file; nothing where there is none.
func (r *repo) head(name string, limit int64) string {
	if r.size(name) == 0 {
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

// exists tells whether a path is there and stays inside the repository. It is
// an input either way: the app is rendered again when it appears.
func (r *repo) exists(name string) bool {
	r.inputs[name] = true
	if _, refused := r.refused[name]; refused {
		return true
	}
	_, err := r.root.Lstat(filepath.FromSlash(name))
	return err == nil
}

// follow resolves the symlinks of a path inside the repository. A part that
// does not exist is kept as it is.
func (r *repo) follow(name string) (string, error) { return r.followIn(".", name) }

// followIn does so for a path below a directory without symlinks in its own
// path, and never leaves that directory, as if it were all there is.
func (r *repo) followIn(top, name string) (string, error) {
	rest, done, links := strings.Split(path.Clean(name), "/"), top, 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		if part == ".." && done == top {
			return "", errOutside
		}
		next, target, err := r.step(done, part)
		if err != nil {
			return "", err
		}
		if target == "" {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", errLinks
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// step goes one path element down; target is where a symlink points to.
func (r *repo) step(dir, part string) (next, target string, err error) {
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
		return "", "", plain(err)
	}
	if path.IsAbs(target) || target == "" {
		return "", "", errOutside
	}
	return next, target, nil
}

func ignoreMissing(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) || notDir(err) {
		return nil
	}
	return plain(err)
}

// notDir tells of "a file is used as a directory", which is as missing.
func notDir(err error) bool {
	var p *fs.PathError
	return errors.As(err, &p) && strings.Contains(p.Err.Error(), "not a directory")
}

// plain drops the operation and the path that os puts into its errors: the
// caller names the path as the user knows it.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		if errors.Is(err, fs.ErrNotExist) {
			return fs.ErrNotExist
		}
		return p.Err
	}
	return err
}

// readInputs returns the inputs in order.
func (r *repo) readInputs() []string {
	out := make([]string, 0, len(r.inputs))
	for name := range r.inputs {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
