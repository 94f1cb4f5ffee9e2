// Package repotest makes snapshots for tests of what renders them.
package repotest

import (
	"crypto/sha1"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Files are the content of a repository by path; a content that begins with "-> " is
// a symlink.
type Files map[string]string

// Write makes a snapshot and returns its directory.
func (f Files) Write(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range f {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(to, p)
		} else {
			err = os.WriteFile(p, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// Tracked is what Git would say of the files: "mode hash" by path.
func (f Files) Tracked() map[string]string {
	out := map[string]string{}
	for name, content := range f {
		mode, blob := "100644", content
		if to, ok := strings.CutPrefix(content, "-> "); ok {
			mode, blob = "120000", to
		}
		sum := sha1.Sum([]byte(blob))
		out[name] = mode + " " + hex.EncodeToString(sum[:])
	}
	return out
}
