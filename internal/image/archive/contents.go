package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/image/oci"
)

// contents are the files of an archive or a layout.
type contents interface {
	// open returns a file and its size in bytes. Errors: fs.ErrNotExist.
	open(name string) (io.ReadCloser, int64, error)
	// stat returns the size alone.
	stat(name string) (int64, error)
}

// tarFile is a plain archive, whose files are read where they lie.
type tarFile struct {
	path     string
	size     int64
	modified time.Time
	members  members
}

// readTar reads the headers of a plain archive.
func readTar(path string, info fs.FileInfo) (contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := tarFile{path: path, size: info.Size(), modified: info.ModTime(), members: members{}}
	err = walk(f, func(h *tar.Header, _ io.Reader) error {
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg && (h.Size < 0 || at+h.Size > out.size) {
			return errCut
		}
		return out.members.add(h, at)
	})
	return out, err
}

// stat implements contents.
func (t tarFile) stat(name string) (int64, error) { return t.members.stat(name) }

// open implements contents.
func (t tarFile) open(name string) (io.ReadCloser, int64, error) {
	_, it, err := t.members.find(name)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && (info.Size() != t.size || !info.ModTime().Equal(t.modified)) {
		err = errors.New("it has changed since it was looked through")
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return closing{io.NewSectionReader(f, it.at, it.size), f}, it.size, nil
}

// closing reads from one and closes another.
type closing struct {
	io.Reader
	io.Closer
}

// packed is a compressed archive. Small files are kept, large ones are read by
// unpacking up to them.
type packed struct {
	path    string
	limit   int64
	members members
	small   map[string][]byte
}

const (
	// maxKept bounds what is kept of all small files of an archive, in bytes.
	maxKept = 64 << 20
	// Of an archive of n bytes at most maxRatio*n + maxBase come out.
	maxRatio = 200
	maxBase  = 1 << 30
)

// readPacked unpacks an archive once, and keeps its small files.
func readPacked(path string, info fs.FileInfo) (contents, error) {
	out := packed{path: path, limit: maxRatio*info.Size() + maxBase, members: members{}, small: map[string][]byte{}}
	kept := int64(0)
	err := out.walk(func(h *tar.Header, content io.Reader) error {
		if err := out.members.add(h, -1); err != nil || h.Typeflag != tar.TypeReg || h.Size > maxSmall || kept+h.Size > maxKept {
			return err
		}
		raw, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		if looksSmall(raw) {
			kept += h.Size
			name, _, err := out.members.find(h.Name)
			out.small[name] = raw
			return err
		}
		return nil
	})
	return out, err
}

// looksSmall tells what may be a manifest or a configuration: JSON.
func looksSmall(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
}

func (p packed) walk(each func(h *tar.Header, content io.Reader) error) error {
	f, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer f.Close()
	zipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	bounded := &io.LimitedReader{R: zipped, N: p.limit}
	if err = walk(bounded, each); err != nil && bounded.N <= 0 {
		return fmt.Errorf("it unpacks to more than %d bytes", p.limit)
	}
	return err
}

// errFound ends a walk.
var errFound = errors.New("found")

// stat implements contents.
func (p packed) stat(name string) (int64, error) { return p.members.stat(name) }

// each hands on some files, which are there, in the order in which they come, and
// unpacks no further than it has to.
func (p packed) each(ctx context.Context, names []string, take func(name string, content io.Reader) error) error {
	wanted := map[string]string{} // where it lies -> what it is called
	for _, name := range names {
		at, _, err := p.members.find(name)
		if err != nil {
			return err
		}
		if other, twice := wanted[at]; twice && other != name {
			return fmt.Errorf("%w: %.80q and %.80q are one file", oci.ErrOther, other, name)
		}
		wanted[at] = name
	}
	if len(wanted) == 0 {
		return nil
	}
	err := p.walk(func(h *tar.Header, content io.Reader) error {
		at, _, err := p.members.find(h.Name)
		name, ok := wanted[at]
		if err != nil || !ok || h.Typeflag != tar.TypeReg {
			return nil //nolint:nilerr // a directory has no content
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := take(name, content); err != nil {
			return err
		}
		if delete(wanted, at); len(wanted) == 0 {
			return errFound
		}
		return nil
	})
	switch {
	case errors.Is(err, errFound):
		return nil
	case err == nil:
		return errors.New("it has changed since it was looked through")
	}
	return err
}

// open implements contents.
func (p packed) open(name string) (io.ReadCloser, int64, error) {
	name, it, err := p.members.find(name)
	if err != nil {
		return nil, 0, err
	}
	if raw, ok := p.small[name]; ok {
		return io.NopCloser(bytes.NewReader(raw)), it.size, nil
	}
	reader, writer := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := p.walk(func(h *tar.Header, content io.Reader) error {
			if at, _, err := p.members.find(h.Name); err != nil || at != name || h.Typeflag != tar.TypeReg {
				return nil //nolint:nilerr // a directory has no content
			}
			if _, err := io.Copy(writer, content); err != nil {
				return err
			}
			return errFound
		})
		if errors.Is(err, errFound) {
			err = nil
		}
		writer.CloseWithError(err)
	}()
	return closing{reader, closer(func() error { err := reader.Close(); <-ended; return err })}, it.size, nil
}

// closer is a function that closes.
type closer func() error

// Close calls it.
func (c closer) Close() error { return c() }

// unpacked is an OCI layout in a directory. Links that lead out of it are not followed.
type unpacked struct{ path string }

// stat implements contents.
func (u unpacked) stat(name string) (int64, error) {
	f, size, err := u.open(name)
	if err != nil {
		return 0, err
	}
	return size, f.Close()
}

// open implements contents.
func (u unpacked) open(name string) (io.ReadCloser, int64, error) {
	root, err := os.OpenRoot(u.path)
	if err != nil {
		return nil, 0, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}
