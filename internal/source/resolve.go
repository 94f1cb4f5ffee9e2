package source

import (
	"context"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/source/remote"
)

// remembered is how many answers are kept for later loads.
const remembered = 64

// ResolveRequest asks the child for a ref.
type ResolveRequest struct {
	Remote remote.Spec `json:"remote"`
	Want   remote.Want `json:"want"`
}

// query is how a commit was found.
type query struct {
	want   remote.Want
	found  string // the full name of the ref
	origin int    // who named it
}

// Resolve asks which commit the configured ref names: one ref query to the first
// remote that answers, none for a fixed commit. One that is older than what was
// accepted, or has another history, does not count, and the next one is asked.
// Errors: Unreachable where no server answers with anything new, Blocked where one
// wants another login, or has something suspicious that a person has to accept,
// Rejected where there is no such ref or commit, or it is not signed as it has to be.
func (r *Repository) Resolve(ctx context.Context) (string, error) {
	if r.want.Commit != "" {
		r.remember(0, remote.Found{Commit: r.want.Commit, Ref: r.want.Commit}, r.want)
		r.setFollowed(r.want.Commit, "", "")
		if err := r.Vouch(ctx, r.want.Commit); err != nil {
			return "", err
		}
		return r.want.Commit, nil
	}
	anchor := r.held()
	found, err := r.follow(ctx, anchor)
	if err != nil {
		return "", err
	}
	r.setFollowed(found.Commit, found.Ref, anchor.Commit)
	return found.Commit, nil
}

func (r *Repository) setFollowed(commit, ref, after string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.followed, r.followedRef, r.after = commit, ref, after
}

// ResolveRef asks the same for a name that a person typed: a branch, a tag, a
// full ref or a full commit. The name is checked before anything is sent, and the
// answer is held against nothing.
func (r *Repository) ResolveRef(ctx context.Context, name string) (string, error) {
	want, err := remote.FromName(name)
	if err != nil {
		return "", err
	}
	if want.Commit != "" {
		r.remember(0, remote.Found{Commit: want.Commit, Ref: want.Commit}, want)
		return want.Commit, nil
	}
	order, left := r.inOrder(0)
	var first error
	for _, i := range order {
		found, err := r.origins[i].query(ctx, want)
		if err == nil {
			r.remember(i, found, want)
			return found.Commit, nil
		}
		r.heed(i, err)
		if first == nil {
			first = r.origins[i].about("ask "+want.String()+" of", err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if first == nil {
		first = fmt.Errorf("ask %s of %w", want, left)
	}
	return "", first
}

// inOrder are the remotes with this one first, those that gave nothing last, and those
// that asked to be left alone not at all; where that leaves none, the error says what
// the first of them answered.
func (r *Repository) inOrder(first int) ([]int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.opts.Now()
	var order []int
	for _, i := range slices.Concat([]int{first}, queue(r.standings, now), all(len(r.origins))) {
		if !slices.Contains(order, i) && !r.standings[i].away(now) {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		return nil, &at{r.origins[first], r.standings[first].err}
	}
	return order, nil
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// remember keeps by which query a commit was found, and where: many servers hand out
// a commit only by a ref that names it.
func (r *Repository) remember(origin int, found remote.Found, want remote.Want) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.asked) >= remembered {
		clear(r.asked)
	}
	r.asked[found.Commit] = query{want, found.Ref, origin}
}

// recall is how a commit was found, and the name to show for it; without that, as the
// configuration says.
func (r *Repository) recall(commit string) (query, string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q, ok := r.asked[commit]; ok {
		return q, remote.Short(q.found)
	}
	if len(r.want.Refs) > 0 {
		return query{want: r.want}, remote.Short(r.want.Refs[0])
	}
	return query{want: r.want}, commit
}
