package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"syncd.io/syncd/internal/fault"
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
	slow := h.deepen(ctx, request{want: h.to}, told, enough)
	if slow != nil && !errors.Is(slow, errCut) {
		return slow
	}
	if err := h.deepen(ctx, request{want: h.from, named: true}, told, enough); err != nil {
		return err
	}
	if done, err := enough(); done || err != nil {
		return err
	}
	return slow
}

// deepen asks for more and more of one history, until enough says that it is, or the
// server has no more, or would send too much; and notes in told where there is no more.
// Each step begins anew, which costs a tenth more in all; what is there already is not
// asked for. Where it takes too long to get enough, errCut is in the error's chain.
func (h *historian) deepen(ctx context.Context, r request, told map[plumbing.Hash]bool, enough func() (bool, error)) error {
	timed, cancel := h.patience(ctx)
	defer cancel()
	var slow error
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
		if timed.Err() != nil && ctx.Err() == nil {
			slow = h.cut(fmt.Sprintf("it took longer than %s, half of limits.fetchTime", h.req.Time))
		}
		if unwilling(err) || slow != nil {
			break
		}
		if err != nil {
			return err
		}
		if whole && told != nil {
			told[r.want] = true
		}
	}
	if done, err := enough(); done || err != nil {
		return err
	}
	return slow
}

// errCut is in the chain of an error about history that did not come to its end, and may
// do so the next time.
var errCut = errors.New("the history did not come to its end")

// cut says why it did not.
func (h *historian) cut(why string) error {
	err := fault.As(fault.Unreachable, fmt.Errorf("%w: %s", errCut, why))
	return fault.Hint(err, "it is tried again; where the server is slow, raise limits.fetchTime in syncd.yaml")
}

// severed is the error of a connection that broke, where err tells of one: no answer of
// the server, whatever was made of it.
func (h *historian) severed(err error) error {
	for _, words := range []string{"connection reset", "broken pipe"} {
		if err != nil && strings.Contains(err.Error(), words) {
			return h.cut(words)
		}
	}
	return nil
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
