package source

import (
	"context"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

const (
	// resolveTime is how long a ref query may take.
	resolveTime = 30 * time.Second
	// remembered is how many answers are kept for later loads.
	remembered = 64
)

// ResolveRequest asks the child for a ref.
type ResolveRequest struct {
	Remote remote.Spec `json:"remote"`
	Want   remote.Want `json:"want"`
}

// Resolve asks which commit the configured ref names: one ref query, none for a
// fixed commit. Errors: Unreachable where the server did not answer, Blocked
// where it wants another login, Rejected where there is no such ref or commit.
func (r *Repository) Resolve(ctx context.Context) (string, error) {
	commit, err := r.resolve(ctx, r.want)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.followed = commit
	}
	return commit, err
}

// ResolveRef asks the same for a name that a person typed: a branch, a tag, a
// full ref or a full commit. The name is checked before anything is sent.
func (r *Repository) ResolveRef(ctx context.Context, name string) (string, error) {
	want, err := remote.FromName(name)
	if err != nil {
		return "", err
	}
	return r.resolve(ctx, want)
}

func (r *Repository) resolve(ctx context.Context, want remote.Want) (string, error) {
	if want.Commit != "" {
		r.remember(remote.Found{Commit: want.Commit, Ref: want.Commit}, want)
		return want.Commit, nil
	}
	found, err := r.query(ctx, want)
	if err != nil {
		return "", r.about("ask "+want.String()+" of", r.advise(err))
	}
	if !remote.ValidCommit(found.Commit) {
		return "", r.about("ask "+want.String()+" of", fault.As(fault.Unreachable, errNoCommit))
	}
	r.remember(found, want)
	return found.Commit, nil
}

func (r *Repository) query(ctx context.Context, want remote.Want) (remote.Found, error) {
	if r.addr.Kind == remote.Local {
		return remote.LocalRef(r.addr.Path, want)
	}
	if r.bundles != nil {
		return r.bundles.query(ctx, want)
	}
	spec, err := r.spec()
	if err != nil {
		return remote.Found{}, err
	}
	if r.addr.Kind == remote.SSH {
		var found remote.Found
		err := r.opts.Child.Call(ctx, "resolve", ResolveRequest{Remote: spec, Want: want}, &found, r.bounds(resolveTime, ""))
		return found, err
	}
	return r.overHTTP(ctx, spec, want)
}

func (r *Repository) overHTTP(ctx context.Context, spec remote.Spec, want remote.Want) (remote.Found, error) {
	client, err := r.connection(spec)
	if err != nil {
		return remote.Found{}, err
	}
	timed, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	refs, err := client.Refs(timed, spec)
	if ctx.Err() != nil {
		return remote.Found{}, context.Cause(ctx)
	}
	if err != nil {
		return remote.Found{}, remote.Classify(err)
	}
	return remote.Pick(refs, want)
}

// connection keeps one client, and makes another when CA or proxy changed.
func (r *Repository) connection(spec remote.Spec) (*remote.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	trusted := spec.CA + "\n" + spec.Proxy
	if r.client != nil && r.trusted == trusted {
		return r.client, nil
	}
	client, err := remote.NewClient(spec, remote.MaxRefs)
	if err != nil {
		return nil, err
	}
	if r.client != nil {
		r.client.Close()
	}
	r.client, r.trusted = client, trusted
	return client, nil
}

// remember keeps by which query a commit was found: many servers hand out a
// commit only by a ref that names it.
func (r *Repository) remember(found remote.Found, want remote.Want) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.asked) >= remembered {
		clear(r.asked)
		clear(r.shown)
	}
	r.asked[found.Commit] = want
	r.shown[found.Commit] = remote.Short(found.Ref)
}

// recall is the query and the shown name for a commit; without one, those of the
// configuration.
func (r *Repository) recall(commit string) (remote.Want, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if want, ok := r.asked[commit]; ok {
		return want, r.shown[commit]
	}
	if len(r.want.Refs) > 0 {
		return r.want, remote.Short(r.want.Refs[0])
	}
	return r.want, commit
}
