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
// Where repo.verify asks for signatures, none is looked at before they are in order.
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
	vouched, err := r.vouch(ctx, r.claimOf(commit))
	if err != nil {
		return Snapshot{}, err
	}
	held := r.lend(commit) // from now on: Collect must not take it away before it is returned
	s, err := r.fromCache(ctx, dir, commit)
	if err != nil && ctx.Err() == nil {
		s, err = r.fromServer(ctx, dir, commit)
	}
	if err != nil {
		return Snapshot{}, r.placed("fetch commit "+shortOf(commit)+" of", retried(ctx, err))
	}
	_, s.Revision.Ref = r.recall(commit)
	s.Revision.Signer = vouched.signer
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
	return r.fetchFromAny(ctx, dir, commit)
}

// fetchFromAny fetches a commit from who named it, else from the others. A commit that
// holds what is never written does so everywhere.
func (r *Repository) fetchFromAny(ctx context.Context, dir, commit string) (Snapshot, error) {
	q, _ := r.recall(commit)
	return fromAny(ctx, r, q, func(o *origin) (Snapshot, error) {
		return r.fetchUnlessRefused(ctx, o, dir, commit, q.want)
	})
}

// fromAny does something with one remote after the other, until it succeeds: with the
// one that answered q first, and with none that wants to be left alone. The error is the
// first one's.
func fromAny[T any](ctx context.Context, r *Repository, q query, do func(*origin) (T, error)) (T, error) {
	var none T
	order, first := r.inOrder(q.origin)
	for _, i := range order {
		o := r.origins[i]
		out, err := do(o)
		if err == nil {
			return out, nil
		}
		r.heed(i, err)
		if first == nil {
			first = &at{o, o.advise(retried(ctx, err))}
		}
		if ctx.Err() != nil || fault.Of(err) == fault.Rejected && q.want.Commit == "" {
			break
		}
	}
	return none, first
}

// at is an error of one remote.
type at struct {
	origin *origin
	err    error
}

// Error names the remote.
func (a *at) Error() string { return a.origin.name() + ": " + a.err.Error() }

// Unwrap is what went wrong there.
func (a *at) Unwrap() error { return a.err }

// placed says what was being done, and where: at repo.url where no place is to blame.
func (r *Repository) placed(doing string, err error) error {
	var there *at
	if errors.As(err, &there) {
		return fmt.Errorf("%s %w", doing, err)
	}
	return r.about(doing, err)
}

func (r *Repository) fetchUnlessRefused(ctx context.Context, o *origin, dir, commit string, want remote.Want) (Snapshot, error) {
	defer o.reading()()
	spec, err := o.spec(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	judge, err := judgeOf(spec, want)
	if err != nil {
		return Snapshot{}, err
	}
	if err := r.refusedBy(judge, commit); err != nil {
		return Snapshot{}, err
	}
	s, err := r.fetch(ctx, o, dir, FetchRequest{Remote: spec, Commit: commit, Want: want, Limits: limitsOf(r.opts.Limits)})
	r.remark(judge, commit, err)
	if o.bundles != nil && fault.Of(err) == fault.Unreachable && ctx.Err() == nil {
		o.bundles.suspect(ctx)
	}
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
func (r *Repository) fetch(ctx context.Context, o *origin, dir string, req FetchRequest) (Snapshot, error) {
	temp, err := r.tempDir(dir)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := r.fetchInto(ctx, o, dir, temp, req)
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

func (r *Repository) fetchInto(ctx context.Context, o *origin, dir, temp string, req FetchRequest) (Snapshot, error) {
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
	limits := o.bounds(r.opts.Limits.FetchTime.D(), "limits.fetchTime")
	if err := o.call(ctx, "fetch", req, &answer, limits); err != nil {
		return Snapshot{}, err
	}
	s, err := readManifest(filepath.Join(req.Dir, SnapshotName), answer.Manifest)
	if err != nil {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", err)
	}
	if s.Revision.Commit != req.Commit {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", errManifest)
	}
	if err := r.backed(ctx, s); err != nil {
		return Snapshot{}, fmt.Errorf("check what was fetched: %w", err)
	}
	place := filepath.Join(dir, req.Commit)
	if err := os.Rename(filepath.Join(req.Dir, SnapshotName), place); err != nil {
		return Snapshot{}, fmt.Errorf("put the snapshot into place: %w", err)
	}
	s.Dir = filepath.Join(place, FilesName)
	r.setChecked(req.Commit)
	return s, durable.SyncDir(dir)
}
