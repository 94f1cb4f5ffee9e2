package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

const (
	tempPrefix   = ".fetch-"
	brokenPrefix = ".broken-"
	// SnapshotName is the directory below FetchRequest.Dir that the child leaves.
	SnapshotName = "snapshot"
)

// FetchRequest asks the child for one commit's files.
type FetchRequest struct {
	Remote remote.Spec `json:"remote"`
	// Commit is what is wanted, Want the query that named it.
	Commit string      `json:"commit"`
	Want   remote.Want `json:"want"`
	// Dir is an empty directory for this request alone; the child leaves
	// SnapshotName in it.
	Dir    string      `json:"dir"`
	Limits tree.Limits `json:"limits"`
}

// FetchAnswer says what the child wrote.
type FetchAnswer struct {
	// Manifest is the SHA-256 of the manifest's bytes, in hex.
	Manifest string `json:"manifest"`
}

// Load returns the files of a commit: from the cache, else fetched by the child.
// A damaged cache entry is set aside and fetched again. Errors: Unreachable,
// Blocked (login), Rejected (the commit holds what is never written, or more than
// the limits allow).
func (r *Repository) Load(ctx context.Context, commit string) (Snapshot, error) {
	if !remote.ValidCommit(commit) {
		return Snapshot{}, fault.As(fault.Rejected, fmt.Errorf("load commit %.60q: not a full object name", commit))
	}
	r.loading.Lock()
	defer r.loading.Unlock()
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("find the cache directory: %w", err)
	}
	want, shown := r.recall(commit)
	s, err := r.cached(dir, commit)
	if err != nil {
		if s, err = r.fetch(ctx, dir, commit, want); err != nil {
			return Snapshot{}, r.about("fetch commit "+commit[:10]+" of", r.advise(retried(ctx, err)))
		}
	}
	s.Revision.Ref = shown
	return s, nil
}

// cached reads a snapshot that is there. What is damaged is moved away, so that
// any error only means: fetch it.
func (r *Repository) cached(dir, commit string) (Snapshot, error) {
	path := filepath.Join(dir, commit)
	s, err := readManifest(path, "")
	if err == nil && s.Revision.Commit != commit {
		err = errManifest
	}
	if err == nil {
		err = r.intact(s)
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) && !exists(path) {
		return s, err
	}
	delete(r.checked, commit)
	return Snapshot{}, errors.Join(err, setAside(dir, commit))
}

// retried makes what nobody classified (a full disk, a broken pipe) a reason to
// try again.
func retried(ctx context.Context, err error) error {
	if fault.Of(err) != fault.Unknown || ctx.Err() != nil {
		return err
	}
	return fault.As(fault.Unreachable, err)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// setAside moves a damaged snapshot out of the way; the next Collect removes it.
func setAside(dir, commit string) error {
	aside := filepath.Join(dir, brokenPrefix+commit)
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("remove an older damaged snapshot: %w", err)
	}
	if err := os.Rename(filepath.Join(dir, commit), aside); err != nil {
		return fmt.Errorf("set a damaged snapshot aside: %w", err)
	}
	return nil
}

// intact compares the files with the manifest: bytes at the first time, then
// kind, size and mode only.
func (r *Repository) intact(s Snapshot) error {
	deep := !r.checked[s.Revision.Commit]
	for _, f := range s.Files {
		if f.Refused != "" {
			continue
		}
		if err := verify(s.Dir, f, deep); err != nil {
			return err
		}
	}
	r.checked[s.Revision.Commit] = true
	return nil
}

// fetch lets the child write a snapshot into a directory of its own, checks its
// manifest, and renames it into place.
func (r *Repository) fetch(ctx context.Context, dir, commit string, want remote.Want) (Snapshot, error) {
	temp, err := tempDir(dir)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := r.fetchInto(ctx, temp, dir, commit, want)
	return s, errors.Join(err, os.RemoveAll(temp))
}

func tempDir(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	temp, err := os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return "", fmt.Errorf("make a directory for the fetch: %w", err)
	}
	return temp, nil
}

func (r *Repository) fetchInto(ctx context.Context, temp, dir, commit string, want remote.Want) (Snapshot, error) {
	spec, err := r.spec()
	if err != nil {
		return Snapshot{}, err
	}
	req := FetchRequest{Remote: spec, Commit: commit, Want: want, Dir: temp, Limits: r.treeLimits()}
	var answer FetchAnswer
	limits := r.bounds(cmp.Or(r.opts.Limits.FetchTime.D(), defaultFetchTime), "limits.fetchTime")
	if err := r.opts.Child.Call(ctx, "fetch", req, &answer, limits); err != nil {
		return Snapshot{}, err
	}
	s, err := readManifest(filepath.Join(temp, SnapshotName), answer.Manifest)
	if err != nil {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", err)
	}
	if s.Revision.Commit != commit {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", errManifest)
	}
	place := filepath.Join(dir, commit)
	if err := os.Rename(filepath.Join(temp, SnapshotName), place); err != nil {
		return Snapshot{}, fmt.Errorf("put the snapshot into place: %w", err)
	}
	s.Dir = filepath.Join(place, FilesName)
	r.checked[commit] = true
	return s, SyncDir(dir)
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
