package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// session is an open one, and what its server advertised.
type session struct {
	transport.UploadPackSession
	refs *packp.AdvRefs
}

// dial connects; no answer is read that is longer than limit bytes and the refs.
func dial(ctx context.Context, spec remote.Spec, limit int64) (*session, error) {
	s, err := connect(ctx, spec, limit+maxAdvertised)
	if err != nil {
		return nil, remote.Classify(err)
	}
	refs, err := s.AdvertisedReferencesContext(ctx)
	if err != nil {
		return nil, remote.Classify(errors.Join(err, s.Close()))
	}
	return &session{s, refs}, nil
}

// refused tells whether the server answered that it does not give out what it was
// asked for, in the words of git or of JGit: go-git hands on no more than those. A
// server that is gone before go-git has ended its question says the same: over SSH
// the answer is lost then. A connection that breaks is no such answer.
func refused(err error) bool {
	words := []string{"not our ref", "not valid", "closing input: EOF"}
	return err != nil && slices.ContainsFunc(words, func(w string) bool { return strings.Contains(err.Error(), w) })
}

func shallow(refs *packp.AdvRefs) bool { return refs.Capabilities.Supports(capability.Shallow) }

// tipOf finds the advertised object that is or, as a tag, names the commit:
// servers let themselves be asked for it and not for what it names.
func tipOf(refs *packp.AdvRefs, want plumbing.Hash) (plumbing.Hash, bool) {
	if refs.Head != nil && *refs.Head == want {
		return want, true
	}
	for name, hash := range refs.References {
		if hash == want || refs.Peeled[name] == want {
			return hash, true
		}
	}
	return want, false
}

// exact tells whether the server gives out commits that are no tips.
func exact(refs *packp.AdvRefs) bool {
	return shallow(refs) &&
		(refs.Capabilities.Supports(capability.AllowReachableSHA1InWant) || refs.Capabilities.Supports("allow-any-sha1-in-want"))
}

// tipsFor are the objects to ask for: that of the followed ref, or all branches
// and tags where a bare commit is followed.
func tipsFor(refs *packp.AdvRefs, want remote.Want) ([]plumbing.Hash, error) {
	var tips []plumbing.Hash
	if want.Commit != "" {
		for _, hash := range refs.References {
			tips = append(tips, hash)
		}
	} else {
		found, err := remote.Pick(refs, want)
		if err != nil {
			return nil, err
		}
		tip, _ := tipOf(refs, plumbing.NewHash(found.Commit))
		tips = append(tips, tip)
	}
	if len(tips) == 0 {
		return nil, remote.ErrEmpty()
	}
	return tips, nil
}

func gone(want remote.Want, commit plumbing.Hash) error {
	err := fmt.Errorf("the server has no commit %s in %s (any more)", commit, want)
	if want.Commit != "" {
		return fault.Hint(fault.As(fault.Rejected, err), "check repo.ref.commit; after a force-push the old commit can be gone")
	}
	return fault.Hint(fault.As(fault.Unreachable, err), "a force-push removes commits; the next poll follows the new tip")
}

// plain takes the pack out of the side band that carries progress too.
func plain(ask *packp.UploadPackRequest, r io.Reader) io.Reader {
	switch {
	case ask.Capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case ask.Capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// errBulk is in the chain of an error about a pack that is larger than it may be.
var errBulk = errors.New("the repository's objects are larger than the disk allowance")

// errLarge ends a pack that is larger than the disk allowance.
func errLarge() error {
	return fault.Hint(fault.As(fault.Rejected, errBulk), "use a smaller repository, or raise limits.fetchDisk in syncd.yaml")
}
