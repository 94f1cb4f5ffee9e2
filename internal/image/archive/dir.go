// Package archive finds images in files: `docker save` archives, OCI archives and
// OCI layouts. Nothing is unpacked: members are read where they lie, by name, within
// bounds, and what is read has to have its digest.
package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
	"syncd.io/syncd/internal/resource"
)

// maxArchives bounds how many entries of a directory are looked at.
const maxArchives = 10_000

// errText bounds what is shown of a file's own words, in bytes.
const errText = 300

// Dir is a directory of archives. It is safe for concurrent use.
type Dir struct {
	path string
	// kept is true of a layout that this agent keeps: it is there once it has images.
	kept bool

	mu    sync.Mutex
	known map[string]*file
}

// file is one archive, and what it was when it was looked through.
type file struct {
	path     string
	size     int64
	modified time.Time
	found    catalog
	err      error
}

// New returns a directory, which need not be there yet.
func New(path string) *Dir { return &Dir{path: path, known: map[string]*file{}} }

// NewKept returns a layout that this agent keeps itself. It may be empty.
func NewKept(path string) *Dir { return &Dir{path: path, kept: true, known: map[string]*file{}} }

// String names the directory.
func (d *Dir) String() string {
	if d.kept {
		return "images that packs brought"
	}
	return "archives in " + d.path
}

// Find returns the image that has this ID, or else that a name means: by its digest,
// or by the tag in the newest archive that has it. Errors: Unreachable for archives
// that cannot be read, where none of the others has the image: one may be on its way.
func (d *Dir) Find(ctx context.Context, ref oci.Ref, id string, platform ocispec.Platform) (oci.Image, oci.Blobs, bool, error) {
	files, err := d.files(ctx)
	if err != nil {
		return oci.Image{}, nil, false, err
	}
	var broken []error
	for _, f := range files {
		if f.err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", filepath.Base(f.path), f.err))
			continue
		}
		found, blobs, ok, err := f.found.find(ctx, ref, id, platform)
		if ok {
			return found, blobs, true, nil
		}
		if err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", filepath.Base(f.path), err))
		}
	}
	if len(broken) == 0 {
		return oci.Image{}, nil, false, nil
	}
	return oci.Image{}, nil, false, fault.Hint(fault.As(fault.Unreachable, errors.New(resource.Harmless(errors.Join(broken...).Error(), errText))),
		"put the archive there under another name and rename it once it is whole, or remove it")
}

// files looks through what is new or changed in the directory, and returns all of it,
// the newest first.
func (d *Dir) files(ctx context.Context) ([]*file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var paths []string
	if _, err := os.Stat(filepath.Join(d.path, ocispec.ImageLayoutFile)); err == nil {
		paths = []string{d.path} // it is one itself
	} else if !d.kept {
		entries, err := os.ReadDir(d.path)
		if err != nil {
			return nil, fault.Hint(fault.As(fault.Unreachable, fmt.Errorf("look for archives: %w", err)), "make the directory that images.archives names, and let the user that syncd runs as read it")
		}
		for _, e := range entries[:min(len(entries), maxArchives)] {
			paths = append(paths, filepath.Join(d.path, e.Name()))
		}
	}
	fresh := map[string]*file{}
	for _, path := range paths {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if f := d.look(path); f != nil {
			fresh[path] = f
		}
	}
	d.known = fresh
	var out []*file
	for _, f := range fresh {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *file) int { return cmp.Or(b.modified.Compare(a.modified), strings.Compare(a.path, b.path)) })
	return out, nil
}

// look returns what is at a path, nil where it is no archive. An archive is read anew
// where it has changed, a layout always: what is in it comes and goes by itself.
func (d *Dir) look(path string) *file {
	info, err := os.Stat(path)
	isDir := err == nil && info.IsDir()
	if isDir {
		info, err = os.Stat(filepath.Join(path, ocispec.ImageIndexFile))
	}
	if errors.Is(err, fs.ErrNotExist) || err == nil && !isDir && !named(path) {
		return nil
	}
	if err != nil {
		return &file{path: path, err: err}
	}
	if f := d.known[path]; f != nil && !isDir && f.size == info.Size() && f.modified.Equal(info.ModTime()) {
		return f
	}
	f := &file{path: path, size: info.Size(), modified: info.ModTime()}
	var in contents
	switch {
	case isDir:
		in = unpacked{path}
	case !info.Mode().IsRegular():
		f.err = errors.New("it is no regular file")
	case strings.HasSuffix(path, ".tar"):
		in, f.err = readTar(path, info)
	default:
		in, f.err = readPacked(path, info)
	}
	if f.err == nil {
		f.found, f.err = read(in)
	}
	return f
}

// named tells whether a file is called as archives are.
func named(path string) bool {
	return !strings.HasPrefix(filepath.Base(path), ".") &&
		slices.ContainsFunc([]string{".tar", ".tar.gz", ".tgz"}, func(end string) bool { return strings.HasSuffix(path, end) })
}
