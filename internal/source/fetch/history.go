package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
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
		answer.Relation, err = h.relate(ctx)
		if errors.Is(err, errCut) {
			answer.Cut, err = err.Error(), nil
		}
	}
	if err == nil {
		err = s.fold(ctx)
	}
	return answer, full(err)
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

// relate tells what is known, and asks for more as long as that is not enough. Where that
// did not come to its end, errCut is in the error's chain.
func (h *historian) relate(ctx context.Context) (source.Relation, error) {
	var broke error                  // the connection, before it was told what is new
	told := map[plumbing.Hash]bool{} // commits of which there is no more history to come
	for _, next := range []request{{want: h.to, have: h.from}, {want: h.from, have: h.to}} {
		relation, open, err := h.known(ctx, told)
		if err != nil || relation != source.Unknown || h.local != nil {
			return relation, err
		}
		if !open[next.want] {
			continue
		}
		whole, err := h.ask(ctx, next)
		if err != nil && !unwilling(err) {
			return source.Unknown, err
		}
		broke = cmp.Or(broke, h.severed(err))
		told[next.want] = told[next.want] || whole
	}
	var relation source.Relation
	decided := func() (_ bool, err error) {
		relation, _, err = h.known(ctx, told)
		return relation != source.Unknown, err
	}
	err := h.deepenBoth(ctx, told, decided)
	if err == nil && relation == source.Unknown {
		err = broke
	}
	return relation, err
}

// known goes by the commits that are there; told are those of which there is no more
// history to come. Open are those of the two of which more could change the answer.
func (h *historian) known(ctx context.Context, told map[plumbing.Hash]bool) (_ source.Relation, open map[plumbing.Hash]bool, err error) {
	newer, err := h.graph.walk(ctx, h.to, h.from, nil)
	if err != nil || newer.met[h.from] {
		return source.Ahead, nil, err
	}
	older, err := h.graph.walk(ctx, h.from, h.to, nil)
	if err != nil || older.met[h.to] {
		return source.Behind, nil, err
	}
	open = map[plumbing.Hash]bool{h.to: !told[h.to] && leads(newer, older), h.from: !told[h.from] && leads(older, newer)}
	if open[h.to] || open[h.from] {
		return source.Unknown, open, nil
	}
	return source.Diverged, open, nil
}

// leads tells whether the border of one history may lead to where the other one
// began. What is among the other one's ancestors does not: no commit is its own.
func leads(one, other reach) bool {
	return slices.ContainsFunc(one.border, func(h plumbing.Hash) bool { return !other.met[h] })
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

// between lists what is reachable from to and not from from.
func (h *historian) between(ctx context.Context) ([]source.Commit, error) {
	if h.from.IsZero() {
		return h.alone(ctx)
	}
	var found, gaps []plumbing.Hash
	complete := func() (_ bool, err error) {
		var doubt bool
		found, gaps, doubt, err = h.missing(ctx)
		return len(gaps) == 0 && !doubt, err
	}
	done, err := complete()
	if err == nil && !done && h.local == nil {
		if _, err = h.ask(ctx, request{want: h.to, have: h.from}); err == nil || unwilling(err) {
			err = h.deepenBoth(ctx, nil, complete)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 {
		return nil, unproven(gaps[0])
	}
	return h.list(found)
}

// missing walks from to; what it comes to that is not known is a gap, unless from's
// own history shows that it is older. There is doubt where more of that history might
// show it of some that were found.
func (h *historian) missing(ctx context.Context) (found, gaps []plumbing.Hash, doubt bool, err error) {
	older, err := h.graph.walk(ctx, h.from, plumbing.ZeroHash, nil)
	if err != nil {
		return nil, nil, false, err
	}
	newer, err := h.graph.walk(ctx, h.to, plumbing.ZeroHash, older.met)
	if err == nil && len(newer.border) == 0 && len(older.border) > 0 {
		doubt, err = h.doubtful(ctx, newer.order, older.border)
	}
	return newer.order, newer.border, doubt, err
}

// maxLowest is of how many commits it is looked into whether they are older.
const maxLowest = 64

// doubtful tells whether one of the commits may be an ancestor of the border. None is
// that has all of the border among its own ancestors; which holds for all, where it does
// for those that have no parent among them.
func (h *historian) doubtful(ctx context.Context, found, border []plumbing.Hash) (bool, error) {
	among := map[plumbing.Hash]bool{}
	for _, hash := range found {
		among[hash] = true
	}
	looked := 0
	for _, hash := range found {
		parents, _, err := h.graph.parents(hash)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(parents, func(p plumbing.Hash) bool { return among[p] }) {
			continue
		}
		if looked++; looked > maxLowest {
			return true, nil
		}
		below, err := h.graph.walk(ctx, hash, plumbing.ZeroHash, nil)
		if err != nil || slices.ContainsFunc(border, func(b plumbing.Hash) bool { return !below.met[b] }) {
			return true, err
		}
	}
	return false, nil
}

// unproven is for a commit of which nobody can tell which side it is on.
func unproven(gap plumbing.Hash) error {
	err := fault.As(fault.Unreachable, fmt.Errorf("the server does not give the history that shows what commit %s is", gap))
	return fault.Hint(err, "follow a repository that is not shallow, on a server that can hand out its whole history without the files: git config uploadpack.allowFilter true; or raise limits.fetchTime and limits.fetchDisk")
}

// alone gives one commit.
func (h *historian) alone(ctx context.Context) ([]source.Commit, error) {
	var raw []byte
	var there bool
	look := func() (_ bool, err error) {
		raw, there, err = h.graph.raw(h.to)
		return there, err
	}
	done, err := look()
	if err == nil && !done && h.local == nil {
		if _, err = h.ask(ctx, request{want: h.to, depth: 1}); err == nil || denied(err) {
			err = h.deepen(ctx, request{want: h.to}, nil, look)
		}
	}
	if err == nil && !there {
		err = gone(h.req.Want, h.to)
	}
	if err != nil {
		return nil, err
	}
	return []source.Commit{{Hash: h.to.String(), Raw: raw}}, nil
}

// list reads the commits, the newest first.
func (h *historian) list(found []plumbing.Hash) ([]source.Commit, error) {
	if len(found) > h.req.Commits {
		err := fault.As(fault.Rejected, fmt.Errorf("more than %d commits lie between %s and %s", h.req.Commits, h.from, h.to))
		return nil, fault.Hint(err, "raise limits.commits in syncd.yaml")
	}
	out := make([]source.Commit, 0, len(found))
	times := map[string]int64{}
	for _, hash := range found {
		raw, there, err := h.graph.raw(hash)
		if err != nil || !there {
			return nil, errors.Join(err, h.graph.stores[0].lost(hash, plumbing.ErrObjectNotFound))
		}
		c := source.Commit{Hash: hash.String(), Raw: raw}
		times[c.Hash] = committed(hash, raw)
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b source.Commit) int { return int(min(max(times[b.Hash]-times[a.Hash], -1), 1)) })
	return out, nil
}

// committed is when a commit was made, in seconds; 0 where it does not say.
func committed(hash plumbing.Hash, raw []byte) int64 {
	r, _, err := parseCommit(hash, raw)
	if err != nil || r.Time.IsZero() {
		return 0
	}
	return r.Time.Unix()
}
