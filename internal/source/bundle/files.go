package bundle

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
)

// Suffix is how the names of bundles in a directory end.
const Suffix = ".bundle"

// maxFiles is how many bundles a directory may hold.
const maxFiles = 100_000

// File is a bundle as it lies on the disk. Two that are equal hold the same, as far
// as can be told without reading them.
type File struct {
	Path     string
	Size     int64
	Modified time.Time
	inode    uint64
}

// List returns the bundles at path, the newest first: path itself, or the files in
// it that end with Suffix. Those whose names begin with a dot are somebody's
// unfinished work; one that cannot be looked at, such as a link to itself, is listed by
// its path alone. Errors are fs.ErrNotExist where nothing is there.
func List(path string) ([]File, error) { return list(path, maxFiles) }

func list(path string, most int) ([]File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []File{fileOf(path, info)}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		name := filepath.Join(path, e.Name())
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) { // taken away meanwhile
			continue
		}
		if err != nil { // who opens it says why; the others are none the worse for it
			out = append(out, File{Path: name})
			continue
		}
		out = append(out, fileOf(name, info))
	}
	if len(out) > most {
		err := fmt.Errorf("%s holds %d bundles, and no more than %d are looked at", path, len(out), most)
		return nil, fault.Hint(err, "move away those that were taken in: what they brought stays")
	}
	slices.SortFunc(out, newer)
	return out, nil
}

func newer(a, b File) int {
	return cmp.Or(b.Modified.Compare(a.Modified), strings.Compare(b.Path, a.Path))
}

func fileOf(path string, info os.FileInfo) File {
	return File{Path: path, Size: info.Size(), Modified: info.ModTime().UTC(), inode: inode(info)}
}

// Young tells whether the file was written so lately that somebody may still be at
// it.
func (f File) Young(now time.Time) bool {
	const settled = 10 * time.Second
	age := now.Sub(f.Modified)
	return age < settled && age > -settled
}
