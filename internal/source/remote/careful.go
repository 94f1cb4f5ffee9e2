package remote

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/osfs"
)

// MaxRefs is how long a list of refs may be, in bytes: some 250,000 refs.
const MaxRefs = 16 << 20

// maxSettings is how long any other file of a local repository may be that is read
// whole, in bytes: far more than anybody writes. Objects are read in the child,
// which has a memory limit.
const maxSettings = 1 << 20

// careful is a directory of a repository on this machine. It opens no pipe, on
// which a reader would wait for ever, and nothing that is longer than it can be.
type careful struct{ billy.Filesystem }

func below(dir string) careful { return careful{osfs.New(dir)} }

// Open opens a file for reading.
func (c careful) Open(name string) (billy.File, error) {
	if err := c.judge(name); err != nil {
		return nil, err
	}
	return c.Filesystem.Open(name)
}

// OpenFile opens a file, or makes it.
func (c careful) OpenFile(name string, flag int, perm os.FileMode) (billy.File, error) {
	if err := c.judge(name); err != nil {
		return nil, err
	}
	return c.Filesystem.OpenFile(name, flag, perm)
}

// judge says why a file must not be opened; what is not there is for the caller.
func (c careful) judge(name string) error {
	info, err := c.Stat(name)
	if err != nil {
		return nil //nolint:nilerr // opening it says the same, or makes it
	}
	limit := int64(maxSettings)
	switch first, _, _ := strings.Cut(filepath.Clean(name), string(filepath.Separator)); first {
	case "objects":
		limit = info.Size()
	case "packed-refs", "shallow":
		limit = MaxRefs
	}
	return fits(name, info, limit)
}

func fits(name string, info fs.FileInfo, limit int64) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", name)
	case info.Size() > limit:
		return fmt.Errorf("%s is longer than %d KiB", name, limit>>10)
	}
	return nil
}

// small reads a file that holds one path.
func small(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := fits(path, info, maxSettings); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}
