package docker

import (
	"bytes"
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

// sameTree tells whether two files, or two directories, hold the same names and
// bytes. What cannot be read is not the same.
func sameTree(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX != nil || errY != nil || x.IsDir() != y.IsDir() {
		return false
	}
	if !x.IsDir() {
		return x.Size() == y.Size() && x.Size() <= largestCompared && sameBytes(a, b)
	}
	left, errX := os.ReadDir(a)
	right, errY := os.ReadDir(b)
	if errX != nil || errY != nil || len(left) != len(right) {
		return false
	}
	for i := range left {
		if left[i].Name() != right[i].Name() || !sameTree(filepath.Join(a, left[i].Name()), filepath.Join(b, right[i].Name())) {
			return false
		}
	}
	return true
}

func sameBytes(a, b string) bool {
	x, errX := os.ReadFile(a)
	y, errY := os.ReadFile(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
