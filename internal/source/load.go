package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/durable"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

// SnapshotName is the directory below FetchRequest.Dir that the child leaves.
const SnapshotName = "snapshot"

// FetchRequest asks the child for one commit's files.
type FetchRequest struct {
	Remote remote.Spec `json:"remote"`
	// Commit is what is wanted, Want the query that named it.
	Commit string      `json:"commit"`
	Want   remote.Want `json:"want"`
	// Dir is an empty directory for this request alone; the child leaves
	// SnapshotName in it.
	Dir string `json:"dir"`
	// Store is the directory of the object store; it need not be there.
	Store  string      `json:"store"`
	Limits tree.Limits `json:"limits"`
	// Base is another commit's snapshot, whose files were found to be as they should
	// be: what is the same in both is linked and not written. None where it is empty.
	Base Base `json:"base,omitzero"`
}

// Base is a snapshot that another one may share files with.
type Base struct {
	Commit string `json:"commit"`
	// Dir holds its manifest, and its files in FilesName.
	Dir string `json:"dir"`
	// Spare is set where nobody needs it any more: its directory is taken over.
	Spare bool `json:"spare,omitempty"`
}

// FetchAnswer says what the child wrote.
type FetchAnswer struct {
	// Manifest is the SHA-256 of the manifest's bytes, in hex.
	Manifest string `json:"manifest"`
}

// Load returns the files of a commit: from the cache, else fetched by the child.
// A damaged cache entry is set aside and fetched again. The files stay while a copy
// of the snapshot is in use. A commit that was Rejected is so again, without a
// fetch, for ten minutes, until Forget is called, or until it is asked for in
// another way. Errors: Unreachable, Blocked (login), Rejected (the commit holds what
// is never written, or more than the limits allow), the context's cause.
func (r *Repository) Load(ctx context.Context, commit string) (Snapshot, error) {
	if !remote.ValidCommit(commit) {
		return Snapshot{}, fault.As(fault.Rejected, fmt.Errorf("load commit %.60q: not a full object name", commit))
	}
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("find the cache directory: %w", err)
	}
	held := r.lend(commit) // from now on: Collect must not take it away before it is returned
	s, err := r.fromCache(ctx, dir, commit)
	if err != nil && ctx.Err() == nil {
		s, err = r.fromServer(ctx, dir, commit)
	}
	if err != nil {
		return Snapshot{}, r.about("fetch commit "+commit[:10]+" of", r.advise(retried(ctx, err)))
	}
	_, s.Revision.Ref = r.recall(commit)
	s.lease = held
	r.build(commit)
	return s, nil
}

func (r *Repository) fromCache(ctx context.Context, dir, commit string) (Snapshot, error) {
	end, err := r.turn(ctx, commit)
	if err != nil {
		return Snapshot{}, err
	}
	defer end()
	return r.cached(ctx, dir, commit)
}

// fromServer waits for its turn, and fetches what nobody else has fetched
// meanwhile.
func (r *Repository) fromServer(ctx context.Context, dir, commit string) (Snapshot, error) {
	done, err := r.aside(ctx, commit)
	if err != nil {
		return Snapshot{}, err
	}
	defer done()
	end, err := r.turn(ctx, commit)
	if err != nil {
		return Snapshot{}, err
	}
	defer end()
	if s, err := r.cached(ctx, dir, commit); err == nil || ctx.Err() != nil {
		return s, err
	}
	return r.fetchUnlessRefused(ctx, dir, commit)
}

func (r *Repository) fetchUnlessRefused(ctx context.Context, dir, commit string) (Snapshot, error) {
	spec, err := r.spec()
	if err != nil {
		return Snapshot{}, err
	}
	want, _ := r.recall(commit)
	judge, err := judgeOf(spec, want)
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.refusedBy(judge, commit); err != nil {
		return Snapshot{}, err
	}
	s, err := r.fetch(ctx, dir, FetchRequest{Remote: spec, Commit: commit, Want: want, Limits: limitsOf(r.opts.Limits)})
	r.remark(judge, commit, err)
	return s, err
}

// retried makes what nobody classified (a full disk, a broken pipe) a reason to
// try again.
func retried(ctx context.Context, err error) error {
	if fault.Of(err) != fault.Unknown || ctx.Err() != nil {
		return err
	}
	return fault.As(fault.Unreachable, err)
}

// fetch lets the child write a snapshot into a directory of its own, checks its
// manifest, and renames it into place.
func (r *Repository) fetch(ctx context.Context, dir string, req FetchRequest) (Snapshot, error) {
	temp, err := r.tempDir(dir)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := r.fetchInto(ctx, dir, temp, req)
	return s, errors.Join(err, r.dropTemp(temp))
}

// storeFor is where the child keeps objects: in the store that lasts for what is
// followed, which waits for nobody else's fetch, and else in one for this fetch
// alone. The caller has to call done.
func (r *Repository) storeFor(ctx context.Context, dir, temp, commit string) (store string, done func(), err error) {
	r.mu.Lock()
	followed := commit == r.followed
	r.mu.Unlock()
	if !followed {
		return filepath.Join(temp, storeName), func() {}, nil
	}
	done, err = r.storeTurn(ctx)
	return filepath.Join(dir, storeName), done, err
}

// tempDir makes a directory for one fetch, which Collect knows of.
func (r *Repository) tempDir(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the cache directory: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	temp, err := os.MkdirTemp(dir, tempPrefix)
	if err != nil {
		return "", fmt.Errorf("make a directory for the fetch: %w", err)
	}
	r.temps[filepath.Base(temp)] = true
	return temp, nil
}

func (r *Repository) dropTemp(temp string) error {
	r.mu.Lock()
	delete(r.temps, filepath.Base(temp))
	r.mu.Unlock()
	return os.RemoveAll(temp)
}

func (r *Repository) fetchInto(ctx context.Context, dir, temp string, req FetchRequest) (Snapshot, error) {
	var answer FetchAnswer
	store, done, err := r.storeFor(ctx, dir, temp, req.Commit)
	if err != nil {
		return Snapshot{}, err
	}
	defer done()
	req.Dir, req.Store = temp, store
	base, giveBack := r.baseOf(dir, temp, req.Commit)
	defer giveBack()
	req.Base = base
	limits := r.bounds(r.opts.Limits.FetchTime.D(), "limits.fetchTime")
	if err := r.opts.Child.Call(ctx, "fetch", req, &answer, limits); err != nil {
		return Snapshot{}, err
	}
	s, err := readManifest(filepath.Join(req.Dir, SnapshotName), answer.Manifest)
	if err != nil {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", err)
	}
	if s.Revision.Commit != req.Commit {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", errManifest)
	}
	place := filepath.Join(dir, req.Commit)
	if err := os.Rename(filepath.Join(req.Dir, SnapshotName), place); err != nil {
		return Snapshot{}, fmt.Errorf("put the snapshot into place: %w", err)
	}
	s.Dir = filepath.Join(place, FilesName)
	r.setChecked(req.Commit)
	return s, durable.SyncDir(dir)
}
