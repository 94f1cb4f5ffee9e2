package source

import (
	"context"
	"errors"
	"fmt"
)

// errGivesWay ends what nobody waits for.
var errGivesWay = errors.New("it gives way to what is followed, which needs the object store")

// storeTurn waits until no child works on the object store, or ctx ends; the caller
// has to call done. What nobody waits for is ended.
func (r *Repository) storeTurn(ctx context.Context) (done func(), err error) {
	r.mu.Lock()
	if r.giveWay != nil {
		r.giveWay(errGivesWay)
	}
	r.mu.Unlock()
	return r.spareTurn(ctx)
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
// object store. The caller has to call end.
func (r *Repository) inSpareTime(ctx context.Context) (spare context.Context, end func()) {
	spare, cancel := context.WithCancelCause(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.giveWay = cancel
	return spare, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.giveWay = nil
		cancel(nil)
	}
}
