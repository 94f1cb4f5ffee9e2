package source

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// follow asks the remotes in their order until one names a revision that may be
// followed after the anchor.
func (r *Repository) follow(ctx context.Context, anchor Anchor) (remote.Found, error) {
	r.mu.Lock()
	asked := queue(r.standings, r.opts.Now())
	r.mu.Unlock()
	for _, i := range asked {
		o := r.origins[i]
		found, err := o.query(ctx, r.want)
		if ctx.Err() != nil {
			return remote.Found{}, o.about("ask "+r.want.String()+" of", context.Cause(ctx))
		}
		state := stateOf(err)
		if err == nil {
			state, err = r.weigh(ctx, i, anchor, offer{want: r.want, found: found})
		}
		if ctx.Err() != nil {
			return remote.Found{}, o.about("compare what is new of", context.Cause(ctx))
		}
		if state == RemoteServing {
			r.serve(i, found.Commit)
			return found, nil
		}
		r.passOver(i, state, found.Commit, err)
	}
	return remote.Found{}, r.nobody()
}

// held is the anchor for what is followed; one without a commit where there is none.
func (r *Repository) held() Anchor {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.holds()
}

// holds is held for who holds mu.
func (r *Repository) holds() Anchor {
	if !r.anchor.concerns(r.want) {
		return Anchor{}
	}
	return r.anchor
}

// weigh judges what remote i offers.
func (r *Repository) weigh(ctx context.Context, i int, anchor Anchor, o offer) (RemoteState, error) {
	r.remember(i, o.found, o.want) // whoever compares has to know where it can be had
	another := anchor.elsewhere(r.names())
	o.rewrite = r.opts.AllowRewrite || another
	o.unproven = another || r.opts.AllowRewrite && i == 0 // a mirror may be an old one
	if anchor.comparable(o) {
		relation, err := r.relation(ctx, anchor.Commit, o.found.Commit)
		if err != nil && !(o.unproven && errors.Is(err, errCut)) {
			return stateOf(err), err
		}
		o.relation = relation
	}
	state := anchor.judge(o)
	if state != RemoteStale { // what is not wanted need not be signed
		err := r.signed(ctx, o.found)
		if trust := trustOf(err); err != nil && (state == RemoteServing || trust == RemoteUntrusted) {
			return trust, err
		}
	}
	if state == RemoteServing {
		return state, nil
	}
	return state, verdict(state, anchor.errOf(state, o), o.found.Commit)
}

// signed tells whether what a ref names is signed as it has to be.
func (r *Repository) signed(ctx context.Context, found remote.Found) error {
	r.mu.Lock()
	c := r.claim(found.Commit, found.Ref)
	r.mu.Unlock()
	_, err := r.vouch(ctx, c)
	return err
}

// trustOf is the state of a remote of whose revision it could not be found out that it
// is signed.
func trustOf(err error) RemoteState {
	if fault.Of(err) == fault.Unreachable || fault.Of(err) == fault.Unknown {
		return RemoteUnreachable
	}
	return RemoteUntrusted
}

// verdict classifies why an offer is not followed, and says what to do.
func verdict(state RemoteState, err error, commit string) error {
	if state == RemoteStale {
		return fault.Hint(fault.As(fault.Unreachable, err), "it is asked again; if the older revision is wanted, put it on top of the newer one (git revert), or: syncd sync --accept-rewrite "+shortOf(commit))
	}
	return fault.Hint(fault.As(fault.Blocked, err), "find out who did it; what runs stays as it is; to follow it all the same: syncd sync --accept-rewrite "+shortOf(commit))
}

// relation is how one commit stands to another, remembered: neither ever changes. What
// could not be told may be known later, when somebody asks.
func (r *Repository) relation(ctx context.Context, from, to string) (Relation, error) {
	pair := [2]string{from, to}
	r.mu.Lock()
	known, ok := r.relations[pair]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := r.relate(ctx, from, to)
	if err != nil {
		return found, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.relations) >= remembered {
		clear(r.relations)
	}
	r.relations[pair] = found
	return found, nil
}

// nobody is the error of a repository that no remote gives: it names them all, those
// too that were left alone this time. It is that of one that has something suspicious,
// else of the one that a person can do most about.
func (r *Repository) nobody() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	gravest, lines := 0, []string(nil)
	for i, s := range r.standings {
		if s.err != nil {
			lines = append(lines, s.Name+": "+s.Reason)
		}
		if s.gravity() > r.standings[gravest].gravity() {
			gravest = i
		}
	}
	first := r.standings[gravest].err
	switch {
	case len(r.origins) == 1 && r.standings[gravest].State == RemoteUntrusted:
		return fmt.Errorf("%w (%s of %s)", first, r.want, r.origins[gravest].name())
	case len(r.origins) == 1 || first == nil:
		return r.origins[gravest].about("ask "+r.want.String()+" of", first)
	}
	err := fault.As(fault.Of(first), &noneServes{"ask " + r.want.String() + ": no remote serves: " + strings.Join(lines, "; "), first})
	if hint := fault.Advice(first); hint != "" {
		return fault.Hint(err, hint)
	}
	return err
}

// noneServes is the error of several remotes, in one text.
type noneServes struct {
	text    string
	gravest error
}

// Error is the text.
func (n *noneServes) Error() string { return n.text }

// Unwrap is the gravest of them.
func (n *noneServes) Unwrap() error { return n.gravest }

// gravity orders what a person has to know first.
func (s standing) gravity() int {
	switch {
	case s.State.Suspicious(), s.State == RemoteUntrusted:
		return 4
	case fault.Of(s.err) == fault.Unreachable:
		return 3
	case s.State == RemoteRefused:
		return 2
	case s.err != nil:
		return 1
	}
	return 0
}
