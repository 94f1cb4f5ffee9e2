package tree

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
)

// MaxPath is Linux's PATH_MAX, in bytes; maxDepth is a depth that no honest tree
// comes near. Nobody needs to change them.
const (
	MaxPath  = 4096
	maxDepth = 100
)

// Limits bound what one commit may hold.
type Limits struct {
	// File is how long a file may be, in bytes; a longer one is refused alone.
	File int64 `json:"file"`
	// Files is how many files a commit may have, and how many directories.
	Files int `json:"files"`
	// Disk is how much a fetch may write, in bytes: the download and the files.
	Disk int64 `json:"disk"`
}

// Budget counts down Limits while a tree is walked, so that a bomb is noticed
// after the first entry too many and not after the last.
type Budget struct {
	Limits
	// Downloaded is what the fetch has on the disk before a file is written, in
	// bytes; 0 where nothing had to be downloaded.
	Downloaded         int64
	files, directories int
	bytes              int64
}

// Entry takes one entry at path p. The error is Rejected.
func (b *Budget) Entry(p string, directory bool) error {
	kind, count := "files", &b.files
	if directory {
		kind, count = "directories", &b.directories
	}
	if *count++; *count > b.Files {
		return over(fmt.Errorf("the commit has more than %d %s", b.Files, kind), "limits.files")
	}
	if len(p) > MaxPath {
		return fixed(fmt.Errorf("a path is longer than %d bytes: %s…", MaxPath, Escaped(p[:60])))
	}
	if strings.Count(p, "/") >= maxDepth {
		return fixed(fmt.Errorf("directories are nested more than %d deep: %s…", maxDepth, Escaped(p[:min(60, len(p))])))
	}
	return nil
}

// Bytes takes size bytes of content. The error is Rejected.
func (b *Budget) Bytes(size int64) error {
	what := "the commit's files"
	if b.Downloaded > 0 {
		what = "the download and the commit's files"
	}
	if b.bytes += size; b.bytes > b.Disk-b.Downloaded {
		return over(fmt.Errorf("%s are larger than %d MiB", what, b.Disk>>20), "limits.fetchDisk")
	}
	return nil
}

// TooLong says why a file of size bytes is refused; empty where it is not.
func (l Limits) TooLong(size int64) string {
	if size <= l.File {
		return ""
	}
	return fmt.Sprintf("larger than %d bytes (limits.file)", l.File)
}

func over(err error, key string) error {
	return fault.Hint(fault.As(fault.Rejected, err), "keep only what is deployed in the repository, or raise "+key+" in syncd.yaml")
}

// fixed is for a limit that no setting raises.
func fixed(err error) error {
	return fault.Hint(fault.As(fault.Rejected, err), "no setting raises this: rename or move it in the repository")
}

// pointer begins every Git LFS pointer file.
const pointer = "version https://git-lfs.github.com/spec/v1\n"

// PointerSize is how long a pointer file can be, in bytes.
const PointerSize = 1024

// Pointer tells whether content is a Git LFS pointer and not the file that it
// stands for.
func Pointer(content []byte) bool {
	return len(content) < PointerSize && strings.HasPrefix(string(content), pointer)
}

// Why an entry is listed but not written.
const (
	RefusedPointer = "a Git LFS pointer, not the file that it stands for"
	RefusedModule  = "a submodule: submodules are not fetched"
	RefusedName    = "its name has characters that cannot be shown"
	RefusedKind    = "neither a file nor a directory nor a link"
)
