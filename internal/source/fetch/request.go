package fetch

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/bound"
	"syncd.io/syncd/internal/source/remote"
)

// request is what the store wants of a server.
type request struct {
	// want is the commit that is wanted.
	want plumbing.Hash
	// have is a commit that is there, with all of its history as far as the server
	// has to care; zero is none.
	have plumbing.Hash
	// whole are commits that are there with all their files and without history. The
	// server then need not send what is the same, and may say in what the rest
	// differs. Nothing is sent that way but the one commit.
	whole []plumbing.Hash
	// depth is how many commits back the server shall go; 0 is all the way.
	depth int
	// branch wants what is followed, whatever the commit's name may give.
	branch bool
	// named wants the commit by its name, or nothing.
	named bool
	// history wants commits alone, where the server can leave out the rest.
	history bool
}

// errDenied is in the chain of an error about a commit that the server does not give
// out: not by its name, and not with the ref that is followed.
var errDenied = errors.New("the server does not give out the commit")

func denied(err error) bool { return errors.Is(err, errDenied) }

// errFresh is in the chain of an error about a server that better sends all anew.
var errFresh = errors.New("the server does not tell what is new")

// fetch adds to the store what the server answers. Known tells whether the server
// knows what is there already. The error is classified.
func (s *store) fetch(ctx context.Context, spec remote.Spec, want remote.Want, r request, limit int64) (known bool, err error) {
	conn, err := dial(ctx, spec, limit)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, ignored(conn.Close())) }()
	s.filters = conn.refs.Capabilities.Supports(capability.Filter)
	ask, err := question(conn.refs, want, r)
	if err != nil {
		return false, err
	}
	known, err = s.exchange(ctx, conn, ask, r, limit)
	if err != nil && len(ask.Haves) > 0 && !native(conn.refs.Capabilities) && stuck(ctx, err) {
		err = errors.Join(errDenied, err)
	}
	return known, err
}

// stuck tells whether it may be for what is there already that nothing came: go-git
// cannot read how some servers answer to that.
func stuck(ctx context.Context, err error) bool {
	return ctx.Err() == nil && fault.After(err) == 0 && !errors.Is(err, errBulk) && !errors.Is(err, errOdd)
}

// exchange sends the question, and adds what is answered to the store.
func (s *store) exchange(ctx context.Context, conn *session, ask *packp.UploadPackRequest, r request, limit int64) (known bool, err error) {
	answer, err := conn.UploadPack(ctx, ask)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) || refused(err) {
		return false, errors.Join(errDenied, remote.Classify(err))
	}
	if err != nil {
		return false, remote.Classify(err)
	}
	defer func() { err = errors.Join(err, ignored(answer.Close())) }()
	pack := &bound.Reader{R: plain(ask, answer), Left: limit, Err: errLarge()}
	switch {
	case len(r.whole) > 0:
		err = s.ingestThin(pack)
	case r.history && ask.Filter == "":
		err = s.ingestHistory(pack, !r.have.IsZero())
	default:
		err = s.ingest(pack)
	}
	if err != nil && pack.Left < 0 { // whoever read it may have hidden that
		err = pack.Err
	}
	if !errors.Is(err, errOdd) {
		err = remote.Classify(full(err))
	}
	return slices.Contains(answer.ACKs, r.have), err
}

// question puts a request into the protocol's words.
func question(refs *packp.AdvRefs, want remote.Want, r request) (*packp.UploadPackRequest, error) {
	wants, err := wantsFor(refs, want, r)
	if err != nil {
		return nil, err
	}
	ask := packp.NewUploadPackRequestFromCapabilities(refs.Capabilities)
	ask.Capabilities.Delete(capability.ThinPack)
	ask.Wants = wants
	if len(r.whole) > 0 {
		return ask, difference(ask, refs.Capabilities, r.whole)
	}
	if !r.have.IsZero() {
		ask.Haves = []plumbing.Hash{r.have}
	}
	return ask, narrow(ask, refs.Capabilities, r)
}

// difference asks for what is new in one commit. Only servers that are Git's own, or
// say so, are asked: go-git cannot go on after the first answer of some others (Azure
// DevOps, CodeCommit).
func difference(ask *packp.UploadPackRequest, able *capability.List, whole []plumbing.Hash) error {
	if !native(able) || !able.Supports(capability.ThinPack) || !able.Supports(capability.Shallow) || len(ask.Wants) != 1 {
		return errFresh
	}
	ask.Haves, ask.Shallows, ask.Depth = slices.Clone(whole), slices.Clone(whole), packp.DepthCommits(1)
	return errors.Join(ask.Capabilities.Set(capability.Shallow), ask.Capabilities.Set(capability.ThinPack))
}

// native tells whether the server is Git's own program, or says so.
func native(able *capability.List) bool {
	agent := able.Get(capability.Agent)
	return len(agent) > 0 && strings.HasPrefix(agent[0], "git/")
}

// ignored is for a failed end, which changes nothing about what was received.
func ignored(error) error { return nil }

// narrow leaves out what is not needed, as far as the server can.
func narrow(ask *packp.UploadPackRequest, able *capability.List, r request) error {
	filters := able.Supports(capability.Filter)
	if r.history && filters {
		ask.Filter = packp.FilterTreeDepth(0)
		if err := ask.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
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
func wantsFor(refs *packp.AdvRefs, want remote.Want, r request) ([]plumbing.Hash, error) {
	if tip, ok := tipOf(refs, r.want); ok {
		return []plumbing.Hash{tip}, nil
	}
	if exact(refs) && !r.branch {
		return []plumbing.Hash{r.want}, nil
	}
	if !r.branch && (r.named || r.depth == 1 || len(r.whole) > 0) {
		return nil, errDenied
	}
	return tipsFor(refs, want)
}
