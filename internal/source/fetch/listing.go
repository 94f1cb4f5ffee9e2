package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

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
