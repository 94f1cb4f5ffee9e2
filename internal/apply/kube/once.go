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
	_, err := answerOf(ctx, o, what, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// answerOf does so where what is asked for is a value, which all who wait for it get.
func answerOf[T any](ctx context.Context, o *once, what string, do func(context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	out := make(chan answer, 1)
	o.owners.Go(func() {
		value, err, _ := o.group.Do(what, func() (any, error) {
			ctx, cancel := context.WithTimeout(o.life, patience)
			defer cancel()
			return do(ctx)
		})
		got, _ := value.(T)
		out <- answer{got, err}
	})
	select {
	case a := <-out:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
