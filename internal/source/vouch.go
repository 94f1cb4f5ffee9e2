package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

// proof is what came of looking at a commit's signatures: who vouches for it and
// which tree it names, or why nobody does.
type proof struct {
	signer verify.Signer
	tree   string
	err    error
	span   span
}

// span is when a proof holds; a zero time is no bound.
type span struct{ from, to time.Time }

// within narrows the span around now down to what lies between the times.
func (s *span) within(now time.Time, times []time.Time) {
	for _, t := range times {
		switch {
		case t.Unix() > now.Unix() && (s.to.IsZero() || t.Before(s.to)):
			s.to = t
		case t.Unix() <= now.Unix() && t.After(s.from):
			s.from = t
		}
	}
}

func (s span) has(now time.Time) bool {
	return (s.from.IsZero() || s.from.Unix() <= now.Unix()) && (s.to.IsZero() || now.Unix() < s.to.Unix())
}

// Vouch tells whether a commit is signed as repo.verify asks, by keys that are
// believed now; nil where it asks for nothing. Of a commit that was looked at before
// it costs no more than reading the key files, unless a signature has begun to count
// since, or ended: the clock may have been set, too. Errors: Rejected, with commit and key;
// Blocked where the keys cannot be read; those of Load.
func (r *Repository) Vouch(ctx context.Context, commit string) error {
	_, err := r.vouch(ctx, r.claimOf(commit))
	return err
}

// ErrNotAccepted is in the chain of an error about a commit that is not signed as it
// has to be, or of which that could not be found out.
var ErrNotAccepted = errors.New("not accepted")

// claim is a commit that asks to be believed: found by a ref, after what was accepted
// before; both may be empty.
type claim struct{ commit, ref, since string }

// claimOf is the claim of a commit as it was found. What is followed is judged as
// what is followed, also where somebody asked for the same commit by another name.
func (r *Repository) claimOf(commit string) claim {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref := r.asked[commit].found
	switch commit {
	case r.followed:
		ref = r.followedRef
	case r.anchor.Commit:
		ref = r.anchor.Found
	}
	return r.claim(commit, ref)
}

// claim is that of a commit that a ref named. Who calls holds mu.
func (r *Repository) claim(commit, ref string) claim {
	c := claim{commit: commit, ref: ref}
	if v := r.opts.Verify; v != nil && v.Every() && !r.anchor.elsewhere(r.names()) {
		c.since = r.anchor.Commit
	}
	return c
}

// vouch is the one way by which a commit comes to be believed: from a remote, a
// mirror or a bundle. The child brings bytes; whether they are the commit's, and
// signed, is found out here.
func (r *Repository) vouch(ctx context.Context, c claim) (proof, error) {
	if r.opts.Verify == nil {
		return proof{}, nil
	}
	t, err := r.whom()
	if err != nil {
		return proof{}, err
	}
	judge := strings.Join([]string{t.sum, c.ref, c.since}, "\n")
	if p, ok := r.proofOf(judge, c.commit); ok {
		return p, p.err
	}
	p, err := r.judge(ctx, t, c)
	if err != nil {
		err = fmt.Errorf("revision %s is %w: %w", shortOf(c.commit), ErrNotAccepted, err)
	}
	if p.err = err; err == nil || fault.Of(err) == fault.Rejected {
		r.setProof(judge, c.commit, p)
	}
	return p, err
}

func (r *Repository) judge(ctx context.Context, t trust, c claim) (proof, error) {
	objects, err := r.commits(ctx, c)
	if err != nil {
		return proof{}, err
	}
	tagged := strings.HasPrefix(c.ref, tagsPrefix) && r.opts.Verify.OfTag()
	var out proof
	now := r.opts.Now()
	check := func(o verify.Object) (verify.Signer, error) {
		out.span.within(now, o.Turns())
		return t.keys.Verify(o, now)
	}
	for _, o := range objects { // oldest first: that is where to mend
		if o.Hash == c.commit {
			out.tree = o.Tree
			if tagged && !r.opts.Verify.OfCommit() {
				continue
			}
		}
		signer, err := check(o)
		if err != nil {
			return proof{span: out.span}, err
		}
		if o.Hash == c.commit {
			out.signer = signer
		}
	}
	if tagged {
		out.signer, err = r.tagSigner(ctx, check, c)
	}
	return out, err
}

// commits are those that have to be signed, the oldest first; the claimed one is
// the last.
func (r *Repository) commits(ctx context.Context, c claim) ([]verify.Object, error) {
	between, err := r.Between(ctx, c.since, c.commit)
	if err != nil {
		return nil, err
	}
	head := func(b Commit) bool { return b.Hash == c.commit }
	if !slices.ContainsFunc(between, head) { // it is not newer than what was accepted
		if between, err = r.Between(ctx, "", c.commit); err != nil {
			return nil, err
		}
	}
	out := make([]verify.Object, 0, len(between))
	for _, b := range slices.Backward(between) {
		o, err := verify.ParseCommit(b.Hash, b.Raw)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if !slices.ContainsFunc(between, head) {
		return nil, fault.As(fault.Unreachable, fmt.Errorf("the answer does not hold commit %s", c.commit))
	}
	return out, nil
}

func (r *Repository) proofOf(judge, commit string) (proof, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.proofs[commit]
	return p.proof, ok && p.judge == judge && p.span.has(r.opts.Now())
}

func (r *Repository) setProof(judge, commit string, p proof) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.proofs) >= remembered {
		clear(r.proofs)
	}
	r.proofs[commit] = judged{judge, p}
}

// judged is a proof, and all that it depends on besides the commit.
type judged struct {
	judge string
	proof
}

// treeOf is the tree that a commit was found to name when it was verified; empty
// where nobody asked for that.
func (r *Repository) treeOf(commit string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proofs[commit].tree
}
