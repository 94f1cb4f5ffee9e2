package docker

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"syncd.io/syncd/internal/spec"
)

// largestCompared bounds what is read of one file.
const largestCompared = 16 << 20

// sameContent takes a bind of an adopted container for the materialised one that
// is wanted at its place while both hold the same bytes: Compose binds files of
// its project directory, and taking over must restart nothing.
func (e *Engine) sameContent(c *spec.Container, want spec.Container) {
	if e.opts.Mounts == "" {
		return
	}
	for i, have := range c.Mounts {
		for _, m := range want.Mounts {
			rest, materialised := strings.CutPrefix(m.Source, spec.MountPrefix)
			if materialised && m.Target == have.Target && have.Type == m.Type && sameTree(filepath.Join(e.opts.Mounts, rest), have.Source) {
				c.Mounts[i].Source = m.Source
			}
		}
	}
}

// sameTree tells whether two files, or two directories, hold the same names, links
// and bytes. What cannot be read is not the same.
func sameTree(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && sameEntry(a, b, x.Mode(), y.Mode())
}

// sameEntry follows no link: that one could lead round in circles.
func sameEntry(a, b string, x, y fs.FileMode) bool {
	switch {
	case x.Type() != y.Type():
		return false
	case x.IsDir():
		return sameDir(a, b)
	case x&fs.ModeSymlink != 0:
		to, errX := os.Readlink(a)
		other, errY := os.Readlink(b)
		return errX == nil && errY == nil && to == other
	default:
		return x.IsRegular() && sameBytes(a, b)
	}
}

func sameDir(a, b string) bool {
	left, errX := os.ReadDir(a)
	right, errY := os.ReadDir(b)
	if errX != nil || errY != nil || len(left) != len(right) {
		return false
	}
	for i, l := range left {
		r := right[i]
		if l.Name() != r.Name() || !sameEntry(filepath.Join(a, l.Name()), filepath.Join(b, r.Name()), l.Type(), r.Type()) {
			return false
		}
	}
	return true
}

func sameBytes(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil || x.Size() != y.Size() || x.Size() > largestCompared {
		return false
	}
	left, errX := os.ReadFile(a)
	right, errY := os.ReadFile(b)
	return errX == nil && errY == nil && bytes.Equal(left, right)
}
