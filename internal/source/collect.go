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
// off fetches left, and what was set aside. The last one that goes is kept for the
// next to be made of. A snapshot that is in use stays, and
// so does one that was handed out or kept within the last ten minutes; the next
// Collect looks again. Anything else in the directory stays.
func (r *Repository) Collect(keep ...string) error {
	doomed, all := r.retire(keep)
	for _, path := range doomed {
		if err := os.RemoveAll(path); err != nil {
			all = errors.Join(all, fmt.Errorf("remove snapshot: %w", err))
		}
	}
	return all
}

// retire moves out of the way what nobody needs, and returns where it is now.
func (r *Repository) retire(keep []string) (doomed []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries, err := os.ReadDir(r.opts.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, brokenPrefix), strings.HasPrefix(name, tempPrefix) && !r.temps[name]:
			doomed = append(doomed, filepath.Join(r.opts.Dir, name))
		case strings.HasPrefix(name, sparePrefix) && name != sparePrefix+r.spare: // of an earlier run
			doomed = append(doomed, filepath.Join(r.opts.Dir, name))
		case remote.ValidCommit(name) && !r.lent(name, slices.Contains(keep, name)):
			path, aside := r.retain(name)
			if path != "" {
				doomed = append(doomed, path)
			}
			err = errors.Join(err, aside)
		}
	}
	return doomed, err
}
