package fetch

import (
	"cmp"
	"context"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/source"
)

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
