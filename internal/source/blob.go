package source

import (
	"crypto/sha1" //nolint:gosec // Git's object names, not a protection of our own
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Git's file modes.
const (
	ModeFile       = 0o100644
	ModeExecutable = 0o100755
	ModeLink       = 0o120000
	ModeModule     = 0o160000
)

// errChanged is in the chain of an error about a file that is not as listed.
var errChanged = errors.New("the file is not as its manifest says")

// blobHash is Git's object name for size bytes of content; reading fewer or more
// is an error.
func blobHash(content io.Reader, size int64) (string, error) {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "blob %d\x00", size)
	n, err := io.Copy(h, io.LimitReader(content, size+1))
	if err != nil {
		return "", err
	}
	if n != size {
		return "", errChanged
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// objectHash is Git's object name for an object's whole content.
func objectHash(kind string, content []byte) string {
	h := sha1.New() //nolint:gosec // see the import
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// unchanged compares one written file with its entry; deep reads its bytes.
func unchanged(root string, f File, deep bool) error {
	path := filepath.Join(root, filepath.FromSlash(f.Path))
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("check %s: %w", f.Path, err)
	}
	if gitMode(info) != f.Mode || info.Size() != f.Size {
		return fmt.Errorf("check %s: %w", f.Path, errChanged)
	}
	if !deep {
		return nil
	}
	hash, err := hashOf(path, info)
	if err != nil {
		return fmt.Errorf("check %s: %w", f.Path, err)
	}
	if hash != f.Hash {
		return fmt.Errorf("check %s: %w", f.Path, errChanged)
	}
	return nil
}

// gitMode is the mode that Git gives to a file; 0 where Git keeps no such thing.
func gitMode(info os.FileInfo) uint32 {
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		return ModeLink
	case !info.Mode().IsRegular():
		return 0
	case info.Mode()&0o100 != 0:
		return ModeExecutable
	}
	return ModeFile
}
