package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	tempPrefix   = ".fetch-"
	brokenPrefix = ".broken-"
)

// cached reads a snapshot that is there. What is damaged is moved away, so that
// any error only means: fetch it. Who calls has the commit's turn.
func (r *Repository) cached(ctx context.Context, dir, commit string) (Snapshot, error) {
	path := filepath.Join(dir, commit)
	s, err := readManifest(path, "")
	if err == nil && s.Revision.Commit != commit {
		err = errManifest
	}
	if err == nil {
		err = errors.Join(r.covered(s), r.intact(ctx, s))
	}
	switch {
	case err == nil:
		return s, nil
	case ctx.Err() != nil:
		return Snapshot{}, context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist) && !exists(path):
		return Snapshot{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.checked) // others may share what is damaged
	r.spare = ""
	_, aside := setAside(dir, commit)
	return Snapshot{}, errors.Join(err, aside)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// intact compares the files with the manifest: bytes at the first time, then
// kind, size and mode only.
func (r *Repository) intact(ctx context.Context, s Snapshot) error {
	deep := !r.isChecked(s.Revision.Commit)
	for _, f := range s.Files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if f.Refused != "" {
			continue
		}
		if err := unchanged(s.Dir, f, deep); err != nil {
			return err
		}
	}
	r.setChecked(s.Revision.Commit)
	return nil
}

func (r *Repository) isChecked(commit string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checked[commit]
}

func (r *Repository) setChecked(commit string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checked[commit] = true
}

// setAside moves a snapshot out of the way at once, so that nobody finds half of
// it; the next Collect removes what is left at the path that it returns. Who calls
// holds mu.
func setAside(dir, name string) (string, error) {
	aside, err := os.MkdirTemp(dir, brokenPrefix+name+"-")
	if err != nil {
		return "", fmt.Errorf("set snapshot %s aside: %w", name, err)
	}
	if err := os.Rename(filepath.Join(dir, name), filepath.Join(aside, name)); err != nil {
		return aside, fmt.Errorf("set snapshot %s aside: %w", name, err)
	}
	return aside, nil
}
