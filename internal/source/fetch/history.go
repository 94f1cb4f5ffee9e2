package fetch

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/remote"
)

// History says how two commits stand to each other, or which lie between, from the
// object store and what the server adds to it.
func History(ctx context.Context, req source.HistoryRequest) (answer source.HistoryAnswer, err error) {
	s, err := openStore(req.Store)
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.bound(ctx, req.Disk); err != nil {
		return answer, full(err)
	}
	answer, err = tell(ctx, req, s)
	if !errors.Is(err, errOdd) {
		return answer, err
	}
	if err := s.anew(); err != nil {
		return answer, full(err)
	}
	return tell(ctx, req, s)
}

func tell(ctx context.Context, req source.HistoryRequest, s *store) (source.HistoryAnswer, error) {
	h := &historian{req: req, store: s, from: plumbing.NewHash(req.From), to: plumbing.NewHash(req.To)}
	if err := h.open(); err != nil {
		return source.HistoryAnswer{}, err
	}
	var answer source.HistoryAnswer
	var err error
	switch {
	case req.List:
		answer.Commits, err = h.between(ctx)
	case req.Learn:
		err = h.learn(ctx)
	default:
		answer, err = h.stands(ctx)
	}
	if err == nil {
		err = s.fold(ctx)
	}
	return answer, full(err)
}

// stands tells how the commits stand to each other. What came of a history that is not
// followed is dropped, for the next one may be another; what was cut short is gone on
// with.
func (h *historian) stands(ctx context.Context) (answer source.HistoryAnswer, err error) {
	answer.Relation, err = h.relate(ctx)
	switch {
	case errors.Is(err, errCut):
		answer.Cut, err = err.Error(), nil
	case err == nil && (answer.Relation == source.Diverged || answer.Relation == source.Unknown):
		err = h.store.forget()
	}
	return answer, err
}

// historian answers one question.
type historian struct {
	req      source.HistoryRequest
	store    *store
	local    *objectReader // the repository itself, where it is on this machine
	graph    *graph
	from, to plumbing.Hash
}

// open finds out where commits can be read.
func (h *historian) open() error {
	addr, err := remote.Parse(h.req.Remote.URL)
	if err != nil {
		return err
	}
	if addr.Kind == remote.Local {
		objects, err := remote.OpenLocal(addr.Path, true)
		if err != nil {
			return err
		}
		h.local = &objectReader{store: objects}
	}
	h.look()
	return nil
}

// look reads anew what is known: the store has got more.
func (h *historian) look() {
	stores := []objectReader{{store: h.store.objects, own: true}}
	if h.local != nil {
		stores = append(stores, *h.local)
	}
	h.graph = newGraph(stores...)
}

// learn has the store know what came before a commit, so that later it can be told from
// what was rewritten: also once the server has forgotten it. A server that does not
// give it out is no error.
func (h *historian) learn(ctx context.Context) error {
	got, err := h.graph.walk(ctx, h.to, plumbing.ZeroHash, nil)
	if err != nil || h.local != nil || len(got.order) >= shortHistory || len(got.order) > 0 && len(got.border) == 0 {
		return err
	}
	h.req.Disk = min(h.req.Disk, maxLearning)
	err = h.deepen(ctx, request{want: h.to}, nil, func() (bool, error) {
		got, err := h.graph.walk(ctx, h.to, plumbing.ZeroHash, nil)
		return len(got.order) >= nearHistory, err
	})
	if errors.Is(err, errCut) { // it may never be needed
		return nil
	}
	return err
}

// ask fetches history, and tells whether there is no more to come of it: whether the
// server knows what it was told that we have, so that it left out nothing else, or
// all is there down to the first commit.
func (h *historian) ask(ctx context.Context, r request) (whole bool, err error) {
	r.history = true
	known, err := h.store.fetch(ctx, h.req.Remote, h.req.Want, r, h.req.Disk)
	if err != nil {
		return false, err
	}
	h.look()
	if known {
		return true, nil
	}
	got, err := h.graph.walk(ctx, r.want, plumbing.ZeroHash, nil)
	return len(got.order) > 0 && len(got.border) == 0, err
}
