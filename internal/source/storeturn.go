package source

import (
	"context"
	"errors"
	"fmt"
)

// ErrGivesWay ends what nobody waits for: it is in the chain of Learn's error then, and
// no trouble.
var ErrGivesWay = errors.New("it gives way to what is followed, which needs the object store")

// storeTurn waits until no child works on the object store, or ctx ends; the caller
// has to call done. What nobody waits for is ended.
func (r *Repository) storeTurn(ctx context.Context) (done func(), err error) {
	r.queueUp(1)
	defer r.queueUp(-1)
	return r.spareTurn(ctx)
}

// queueUp counts one more who waits for the object store, or one less.
func (r *Repository) queueUp(one int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting += one
	if r.waiting > 0 && r.giveWay != nil {
		r.giveWay(ErrGivesWay)
	}
}

// spareTurn is storeTurn for what nobody waits for: it ends nothing.
func (r *Repository) spareTurn(ctx context.Context) (done func(), err error) {
	select {
	case r.store <- struct{}{}:
		return func() { <-r.store }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the object store: %w", context.Cause(ctx))
	}
}

// inSpareTime is a context for what nobody waits for: it ends when somebody needs the
// object store, at once where somebody waits for it already. The caller has to call end.
func (r *Repository) inSpareTime(ctx context.Context) (spare context.Context, end func()) {
	spare, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.giveWay = cancel
	if r.waiting > 0 {
		cancel(ErrGivesWay)
	}
	return spare, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.giveWay = nil
		cancel(nil)
	}
}
