package kube

import (
	"context"
	"sync"

	"golang.org/x/sync/singleflight"
)

// once lets those who want to know the same thing at the same time ask for it once.
// Nobody holds a lock over a request: each waits for the answer for as long as its own
// context lasts, and the request ends by itself, whoever has gone meanwhile.
type once struct {
	life   context.Context //nolint:containedctx // of what is asked for: the engine's
	owners *sync.WaitGroup
	group  singleflight.Group
}

// ask has do done, unless somebody's is under way: then it gets what that comes to.
// do has patience to come to an end.
func (o *once) ask(ctx context.Context, what string, do func(context.Context) error) error {
	answer := make(chan error, 1)
	o.owners.Go(func() {
		_, err, _ := o.group.Do(what, func() (any, error) {
			ctx, cancel := context.WithTimeout(o.life, patience)
			defer cancel()
			return nil, do(ctx)
		})
		answer <- err
	})
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
