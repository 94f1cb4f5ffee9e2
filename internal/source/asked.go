package source

import (
	"context"
	"errors"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// Asked is one question to a remote, and what came of it.
type Asked struct {
	// Remote is the remote's name, as RemoteStatus has it.
	Remote string
	// Operation is query, fetch, history or tags.
	Operation string
	// Outcome is ok, canceled where nobody waits for the answer any more, else the
	// class of the error.
	Outcome string
	Took    time.Duration
}

// asked tells who counts what came of a question that began at begun.
func (o *origin) asked(ctx context.Context, operation string, begun time.Time, err error) {
	if o.opts.Asked == nil {
		return
	}
	outcome := "ok"
	switch {
	case err != nil && ctx.Err() != nil:
		outcome = "canceled"
	case err != nil && !errors.Is(err, errOpen):
		outcome = fault.Of(err).String()
	}
	o.opts.Asked(Asked{Remote: o.name(), Operation: operation, Outcome: outcome, Took: time.Since(begun)})
}

// call lets the child ask the remote.
func (o *origin) call(ctx context.Context, operation string, in, out any, limits sandbox.Limits) error {
	begun := time.Now()
	err := o.opts.Child.Call(ctx, operation, in, out, limits)
	o.asked(ctx, operation, begun, err)
	return err
}
