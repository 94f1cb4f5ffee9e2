package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

const (
	// maxMembers bounds how many files one archive may have.
	maxMembers = 100_000
	// maxSmall is the size of files that may be manifests or configurations.
	maxSmall = 8 << 20
)

// member is one file of an archive.
type member struct {
	// at is where its content begins; -1 where that cannot be sought.
	at, size int64
	// link is the file that it stands for, or empty.
	link string
}

// members are the files of an archive, by name.
type members map[string]member

// errName is said of names that lead elsewhere.
var errName = errors.New("it has a file whose name leads out of it")

// add takes a header in, in as far as it may be of use. Errors: what no tool that
// saves images writes.
func (m members) add(h *tar.Header, at int64) error {
	if len(m) >= maxMembers {
		return fmt.Errorf("it has more than %d files", maxMembers)
	}
	name := strings.TrimPrefix(h.Name, "./")
	if path.IsAbs(name) || name != "" && !fs.ValidPath(strings.TrimSuffix(name, "/")) {
		return fmt.Errorf("%w: %.80q", errName, h.Name)
	}
	switch h.Typeflag {
	case tar.TypeReg:
		if sparse(h) {
			return fmt.Errorf("it has a file with holes: %.80q", name)
		}
		if _, double := m[name]; double {
			return fmt.Errorf("it has two files of one name: %.80q", name)
		}
		m[name] = member{at: at, size: h.Size}
	case tar.TypeSymlink: // engines save a layer once where two images have it
		target := path.Join(path.Dir(name), h.Linkname)
		if path.IsAbs(h.Linkname) || !fs.ValidPath(target) {
			return fmt.Errorf("%w: %.80q", errName, name+" -> "+h.Linkname)
		}
		m[name] = member{link: target}
	case tar.TypeDir, tar.TypeXGlobalHeader:
	default:
		return fmt.Errorf("it has a file of a kind that images have not: %.80q", name)
	}
	return nil
}

func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// find returns a regular file, over one link at most.
func (m members) find(name string) (string, member, error) {
	name = path.Clean(name)
	it, ok := m[name]
	if ok && it.link != "" {
		name = it.link
		it, ok = m[name]
	}
	if !ok || it.link != "" {
		return "", member{}, fmt.Errorf("%.80q: %w", name, fs.ErrNotExist)
	}
	return name, it, nil
}

// stat returns the size of a regular file.
func (m members) stat(name string) (int64, error) {
	_, it, err := m.find(name)
	return it.size, err
}

// walk reads the headers of an archive; each is told with its content.
func walk(from io.Reader, each func(h *tar.Header, content io.Reader) error) error {
	r := tar.NewReader(from)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errCut
		}
		if err != nil {
			return err
		}
		if err := each(h, r); errors.Is(err, io.ErrUnexpectedEOF) {
			return errCut
		} else if err != nil {
			return err
		}
	}
}

// errCut is said of a file that ends too early.
var errCut = errors.New("it is cut off: it may be copied still")
