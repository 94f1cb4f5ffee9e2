package source

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/config"
)

// Refollow opens the same repository for another ref.
func Refollow(t testing.TB, r *Repository, ref config.Ref) *Repository {
	t.Helper()
	o := r.opts
	o.Ref, o.Dir = ref, t.TempDir()
	other, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return other
}

// Cache is the directory of the snapshots.
func (r *Repository) Cache() string { return r.opts.Dir }

// TreeSum is treeSum.
func TreeSum(files []File) (string, error) { return treeSum(files) }

// Forge puts other content into a file of a snapshot, and into its manifest.
func Forge(t testing.TB, dir, name, content string) {
	t.Helper()
	s, err := readManifest(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range s.Files {
		if s.Files[i].Path == name {
			s.Files[i].Hash, s.Files[i].Size = objectHash("blob", []byte(content)), int64(len(content))
		}
	}
	if err := errors.Join(os.WriteFile(filepath.Join(s.Dir, name), []byte(content), 0o644), os.Remove(filepath.Join(dir, manifestName))); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteManifest(dir, s); err != nil {
		t.Fatal(err)
	}
}
