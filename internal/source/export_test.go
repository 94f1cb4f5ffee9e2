package source

import (
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
