package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
	"syncd.io/syncd/internal/source/tree"
)

// BundleOp is the child's operation that writes a bundle: BundleRequest ->
// BundleAnswer.
const BundleOp = "bundle"

// BundleRequest asks the child to write a commit with its history into a bundle.
type BundleRequest struct {
	Remote remote.Spec `json:"remote"`
	// Commit is what is wanted, Want the query that named it, Ref what the bundle
	// calls it, and Head whether it is what HEAD names, too.
	Commit string      `json:"commit"`
	Want   remote.Want `json:"want"`
	Ref    string      `json:"ref"`
	Head   bool        `json:"head,omitempty"`
	// Since are commits that the reader has, with all that they lead to.
	Since []string `json:"since,omitempty"`
	// File is the bundle, which must not be there; Dir is an empty directory for this
	// request alone.
	File   string      `json:"file"`
	Dir    string      `json:"dir"`
	Limits tree.Limits `json:"limits"`
}

// BundleAnswer says what was written.
type BundleAnswer struct {
	Objects int `json:"objects"`
	// Commits are those among them, the wanted one first; at most MaxBundled.
	Commits []string `json:"commits"`
}

// MaxBundled is how many commits of a bundle are told.
const MaxBundled = 10_000

// Bundled is a bundle that was written.
type Bundled struct {
	// Ref is the full name of the ref that it gives the commit.
	Ref string
	// Commits are the commits in it, the named one first; at most MaxBundled.
	Commits []string
}

// Bundle writes a commit that Resolve named, with its history, into a Git bundle,
// without what the commits since lead to. The file must not be there. Errors: Rejected
// where one of since is not in the repository; those of Load.
func (r *Repository) Bundle(ctx context.Context, commit string, since []string, file string) (Bundled, error) {
	for _, hash := range append([]string{commit}, since...) {
		if !remote.ValidCommit(hash) {
			return Bundled{}, fault.As(fault.Rejected, fmt.Errorf("bundle commit %.60q: not a full object name", hash))
		}
	}
	if slices.Contains(since, commit) {
		return Bundled{}, fault.As(fault.Rejected, errors.New("bundle: there is nothing new"))
	}
	q, _ := r.recall(commit)
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return Bundled{}, fmt.Errorf("find the cache directory: %w", err)
	}
	req := BundleRequest{Commit: commit, Want: q.want, Ref: nameFor(q), Head: q.want.Commit == "" && len(q.want.Refs) == 0, Since: since, File: file, Limits: limitsOf(r.opts.Limits)}
	answer, err := fromAny(ctx, r, q, func(o *origin) (BundleAnswer, error) { return r.bundleOf(ctx, o, dir, req) })
	if err == nil && (len(answer.Commits) > MaxBundled || slices.ContainsFunc(answer.Commits, func(hash string) bool { return !remote.ValidCommit(hash) })) {
		err = fault.As(fault.Unreachable, errors.New("the answer names something else than commits"))
	}
	if err != nil {
		return Bundled{}, r.placed("bundle commit "+shortOf(commit)+" of", retried(ctx, err))
	}
	return Bundled{req.Ref, answer.Commits}, nil
}

// nameFor is what a bundle calls what a query found. A bare commit has no name of its
// own.
func nameFor(q query) string {
	switch {
	case remote.ValidRef(q.found) || q.found == "HEAD":
		return q.found
	case len(q.want.Refs) > 0:
		return q.want.Refs[0]
	}
	return "HEAD"
}

// bundleOf lets the child write it from one remote.
func (r *Repository) bundleOf(ctx context.Context, o *origin, dir string, req BundleRequest) (answer BundleAnswer, err error) {
	defer o.reading()()
	spec, err := o.spec(ctx)
	if err != nil {
		return answer, err
	}
	temp, err := r.tempDir(dir)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, r.dropTemp(temp)) }()
	req.Remote, req.Dir = spec, temp
	limits := o.bounds(r.opts.Limits.FetchTime.D(), "limits.fetchTime")
	return answer, r.opts.Child.Call(ctx, BundleOp, req, &answer, limits)
}
