package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncd.io/syncd/internal/source/remote"
)

// Collect removes the snapshots of all commits but those in keep, what broken
// off fetches left, and what was set aside. Anything else in the directory stays.
func (r *Repository) Collect(keep ...string) error {
	r.loading.Lock()
	defer r.loading.Unlock()
	entries, err := os.ReadDir(r.opts.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list the snapshots: %w", err)
	}
	var all error
	for _, e := range entries {
		name := e.Name()
		stale := strings.HasPrefix(name, tempPrefix) || strings.HasPrefix(name, brokenPrefix)
		if !stale && (!remote.ValidCommit(name) || slices.Contains(keep, name)) {
			continue
		}
		delete(r.checked, name)
		if err := os.RemoveAll(filepath.Join(r.opts.Dir, name)); err != nil {
			all = errors.Join(all, fmt.Errorf("remove snapshot %s: %w", name, err))
		}
	}
	return all
}
