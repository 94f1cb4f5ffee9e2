package source

import (
	"context"
	"fmt"
)

// turn waits until nobody else loads the commit, or ctx ends; the caller has to
// call end. Loads of different commits do not meet here.
func (r *Repository) turn(ctx context.Context, commit string) (end func(), err error) {
	for {
		other, mine := r.begin(commit)
		if other == nil {
			return func() { r.end(commit, mine) }, nil
		}
		select {
		case <-other:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for another load of it: %w", context.Cause(ctx))
		}
	}
}

// begin enters a load; where there is one already, it returns that one's end.
func (r *Repository) begin(commit string) (other <-chan struct{}, mine chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, busy := r.loading[commit]; busy {
		return other, nil
	}
	mine = make(chan struct{})
	r.loading[commit] = mine
	return nil, mine
}

func (r *Repository) end(commit string, mine chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loading, commit)
	close(mine)
}

// aside waits until no other commit is fetched that is not followed; the caller
// has to call end. What is followed waits for nobody: there is one child for it,
// and one for all that people ask for.
func (r *Repository) aside(ctx context.Context, commit string) (end func(), err error) {
	r.mu.Lock()
	followed := commit == r.followed
	r.mu.Unlock()
	if followed {
		return func() {}, nil
	}
	select {
	case r.others <- struct{}{}:
		return func() { <-r.others }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another fetch: %w", context.Cause(ctx))
	}
}
