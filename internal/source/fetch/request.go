package fetch

import (
	"context"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/source/bound"
	"syncd.io/syncd/internal/source/remote"
)

// request is what the store wants of a server.
type request struct {
	// want is the commit that is wanted, have one that is there, with all of its
	// history as far as the server has to care; zero is none.
	want, have plumbing.Hash
	// depth is how many commits back the server shall go; 0 is all the way.
	depth int
	// history wants commits alone, where the server can leave out the rest.
	history bool
}

// errDenied is in the chain of an error about a commit that the server does not give
// out: not by its name, and not with the ref that is followed.
var errDenied = errors.New("the server does not give out the commit")

func denied(err error) bool { return errors.Is(err, errDenied) }

// fetch adds to the store what the server answers. Known tells whether the server
// knows what is there already. The error is classified.
func (s *store) fetch(ctx context.Context, spec remote.Spec, want remote.Want, r request, limit int64) (known bool, err error) {
	conn, err := dial(ctx, spec, limit)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, ignored(conn.Close())) }()
	wants, err := wantsFor(conn.refs, r.want, want)
	if err != nil {
		return false, err
	}
	ask := packp.NewUploadPackRequestFromCapabilities(conn.refs.Capabilities)
	ask.Wants = wants
	if !r.have.IsZero() {
		ask.Haves = []plumbing.Hash{r.have}
	}
	if err := narrow(ask, conn.refs.Capabilities, r); err != nil {
		return false, err
	}
	answer, err := conn.UploadPack(ctx, ask)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) || refused(err) {
		return false, errors.Join(errDenied, remote.Classify(err))
	}
	if err != nil {
		return false, remote.Classify(err)
	}
	defer func() { err = errors.Join(err, ignored(answer.Close())) }()
	err = s.ingest(&bound.Reader{R: plain(ask, answer), Left: limit, Err: errLarge()})
	return slices.Contains(answer.ACKs, r.have), remote.Classify(full(err))
}

// ignored is for a failed end, which changes nothing about what was received.
func ignored(error) error { return nil }

// narrow leaves out what is not needed, as far as the server can. Nobody fetches a
// whole repository to see its history.
func narrow(ask *packp.UploadPackRequest, able *capability.List, r request) error {
	filters := able.Supports(capability.Filter)
	if r.history && filters {
		ask.Filter = packp.FilterTreeDepth(0)
		if err := ask.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
	}
	if r.history && !filters && r.have.IsZero() {
		if r.depth == 0 || !able.Supports(capability.Shallow) {
			return errDenied
		}
		r.depth = min(r.depth, shortHistory)
	}
	if r.depth > 0 && able.Supports(capability.Shallow) {
		ask.Depth = packp.DepthCommits(r.depth)
		return ask.Capabilities.Set(capability.Shallow)
	}
	return nil
}

// wantsFor are the objects to ask for: the tip that is or names the commit, the
// commit itself where the server says that it gives out such, else the tips of what
// is followed, which may have it among their ancestors.
func wantsFor(refs *packp.AdvRefs, commit plumbing.Hash, want remote.Want) ([]plumbing.Hash, error) {
	if tip, ok := tipOf(refs, commit); ok {
		return []plumbing.Hash{tip}, nil
	}
	if exact(refs) {
		return []plumbing.Hash{commit}, nil
	}
	return tipsFor(refs, want)
}
