package source

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// Accept makes a commit that Resolve returned the one that others are held against.
// A commit that is followed by its own name changes nothing. The error is Unreachable
// where another one has been accepted since: Resolve has to be asked again.
func (r *Repository) Accept(commit string) error {
	if r.want.Commit != "" || !remote.ValidCommit(commit) {
		return nil
	}
	return r.anchorAt(commit, nil)
}

// anchorAt is Accept; a person's word is kept, whether or not it changes anything.
func (r *Repository) anchorAt(commit string, by *Word) error {
	r.anchoring.Lock()
	defer r.anchoring.Unlock()
	next, fresh := r.nextAnchor(commit)
	if !fresh && by == nil {
		return nil
	}
	if by == nil {
		if err := r.outdated(commit); err != nil {
			return err
		}
	}
	if err := r.keepAnchor(next, by); err != nil { // it may be far away: nobody else waits for it
		return fmt.Errorf("remember revision %s as accepted: %w", shortOf(commit), err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.anchor = next
	return nil
}

// outdated is the error of a commit that is followed by what was accepted before, where
// a person has accepted another one meanwhile; nil where it is not.
func (r *Repository) outdated(commit string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.holds().Commit
	if commit != r.followed || now == r.after || now == commit {
		return nil
	}
	return fault.As(fault.Unreachable, fmt.Errorf("revision %s was looked at before %s was accepted: it is asked again", shortOf(commit), shortOf(now)))
}

func (r *Repository) keepAnchor(next Anchor, by *Word) error {
	switch {
	case r.opts.Anchors == nil:
		return nil
	case by != nil:
		return r.opts.Anchors.Overrule(next, *by)
	}
	return r.opts.Anchors.SetAnchor(next)
}

// nextAnchor is the anchor that an accepted commit makes, and whether it says anything
// new. What is followed was found by the ref that is followed, whatever else somebody
// asked for the same commit by.
func (r *Repository) nextAnchor(commit string) (next Anchor, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, was := r.asked[commit].found, r.anchor
	if commit == r.followed {
		found = r.followedRef
	}
	next = Anchor{Ref: r.want.String(), Found: found, Commit: commit, Remotes: r.names(), At: r.opts.Now()}
	same := was.Commit == next.Commit && was.Ref == next.Ref && slices.Equal(was.Remotes, next.Remotes)
	return next, !same || found != "" && found != was.Found
}

// Anchored is the commit that was accepted last for what is followed; empty where
// there is none.
func (r *Repository) Anchored() string { return r.held().Commit }

// Accepted gives the files of that commit as far as they are on this host, without
// fetching them, also where it would not be accepted any more: Vouch tells. The error
// is fs.ErrNotExist where they are not.
func (r *Repository) Accepted(ctx context.Context) (Snapshot, error) {
	commit := r.Anchored()
	if commit == "" {
		return Snapshot{}, fs.ErrNotExist
	}
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return Snapshot{}, fmt.Errorf("find the cache directory: %w", err)
	}
	vouched, _ := r.vouch(ctx, r.claimOf(commit)) // files are held against what was signed
	lent := r.lend(commit)
	s, err := r.fromCache(ctx, dir, commit)
	if err != nil {
		return Snapshot{}, r.placed("fetch commit "+shortOf(commit)+" of", err)
	}
	_, s.Revision.Ref = r.recall(commit)
	s.Revision.Signer = vouched.signer
	s.lease = lent
	return s, nil
}

// shortest is how many digits name a commit that a person accepts.
const shortest = 7

// AcceptRewrite accepts a revision that a remote has and that is refused: it is named
// by its first digits, seven or more. From then on it is what others are held
// against, and whose word that was is kept with it. Errors: Rejected where no remote
// has one, or remotes have two different ones that begin so.
func (r *Repository) AcceptRewrite(digits string, by Word) (commit string, err error) {
	if commit, err = r.refusedHead(strings.ToLower(digits)); err != nil {
		return "", err
	}
	return commit, r.anchorAt(commit, &by)
}

// refusedHead is the commit with these digits that a remote has and that is refused.
func (r *Repository) refusedHead(digits string) (commit string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var refused []string
	for _, s := range r.standings {
		if s.State != RemoteStale && !s.State.Suspicious() {
			continue
		}
		refused = append(refused, shortOf(s.Head))
		if len(digits) < shortest || !strings.HasPrefix(s.Head, digits) {
			continue
		}
		if commit != "" && commit != s.Head {
			err := fault.As(fault.Rejected, fmt.Errorf("two revisions that are refused begin with %s: %s, and %s of %s", digits, commit, s.Head, s.Name))
			return "", fault.Hint(err, "find out which of them is meant, and give all of its digits: that two begin alike is hardly chance")
		}
		commit = s.Head
	}
	if commit == "" {
		return "", notRefused(digits, refused)
	}
	r.askAll()
	return commit, nil
}

func notRefused(digits string, refused []string) error {
	err := fault.As(fault.Rejected, fmt.Errorf("no remote has a revision %.40q that is refused", digits))
	if len(refused) == 0 {
		return fault.Hint(err, "nothing is refused: syncd status lists what each remote has")
	}
	return fault.Hint(err, fmt.Sprintf("refused are: %s; give seven digits or more", strings.Join(slices.Compact(refused), ", ")))
}

// askAll lets every remote be asked again at once. Who calls holds mu.
func (r *Repository) askAll() {
	for i := range r.standings {
		r.standings[i].Until, r.standings[i].told = time.Time{}, false
	}
}
