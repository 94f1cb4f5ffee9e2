package fetch

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
)

// How many commits back a server is asked to go, one after the other, where it is not
// known how far back is far enough. The first and the third are for servers that send
// all files of these commits along.
const (
	shortHistory = 100
	nearHistory  = 1000
	farHistory   = 10000
)

// maxLearning is how much is fetched for a history that may never be needed, in bytes.
const maxLearning = 32 << 20

// steps are those that the server is worth; 0 is all the way.
func (h *historian) steps() []int {
	if h.store.filters {
		return []int{nearHistory, 0}
	}
	return []int{shortHistory, nearHistory, farHistory, 0}
}

// deepenBoth asks for the history of to, then for that of from, until it is enough.
func (h *historian) deepenBoth(ctx context.Context, told map[plumbing.Hash]bool, enough func() (bool, error)) error {
	if err := h.deepen(ctx, request{want: h.to}, told, enough); err != nil {
		return err
	}
	return h.deepen(ctx, request{want: h.from, named: true}, told, enough)
}

// deepen asks for more and more of one history, until enough says that it is, or the
// server has no more, or would take too long, or send too much; and notes in told where
// there is no more. Each step begins anew, which costs a tenth more in all; what is
// there already is not asked for.
func (h *historian) deepen(ctx context.Context, r request, told map[plumbing.Hash]bool, enough func() (bool, error)) error {
	timed, cancel := h.patience(ctx)
	defer cancel()
	before := -1 // how many commits were known at the last step
	for _, r.depth = range h.steps() {
		if done, err := enough(); done || err != nil {
			return err
		}
		got, err := h.graph.walk(ctx, r.want, plumbing.ZeroHash, nil)
		known := len(got.order)
		switch {
		case err != nil:
			return err
		case known > 0 && (len(got.border) == 0 || known == before):
			return nil
		case r.depth > 0 && known >= r.depth:
			continue
		}
		before = known
		whole, err := h.ask(timed, r)
		if unwilling(err) || timed.Err() != nil && ctx.Err() == nil {
			break
		}
		if err != nil {
			return err
		}
		if whole && told != nil {
			told[r.want] = true
		}
	}
	_, err := enough()
	return err
}

// unwilling tells of a server that does not give what it was asked for, or gives more
// than is taken.
func unwilling(err error) bool { return denied(err) || errors.Is(err, errBulk) }

// patience bounds how long history is fetched that may not be enough: who asks can go
// by what is known until then.
func (h *historian) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if h.req.Time <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, h.req.Time)
}
