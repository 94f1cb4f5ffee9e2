package server

import (
	"context"
	"encoding/json"
	"net/http"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// Sync asks for one pass and hears how it goes on.
func (c Client) Sync(ctx context.Context, req reconcile.SyncRequest, hear func(reconcile.Event)) ([]reconcile.Result, error) {
	return follow[[]reconcile.Result](ctx, c, "/v1/sync", req, hear)
}

// Act asks for what a person wants done, and hears how it goes on.
func (c Client) Act(ctx context.Context, verb string, req reconcile.ActRequest, hear func(reconcile.Event)) (reconcile.ActResult, error) {
	return follow[reconcile.ActResult](ctx, c, of(req.App, verb), req, hear)
}

// follow reads a stream to its last line.
func follow[T any](ctx context.Context, c Client, path string, in any, hear func(reconcile.Event)) (T, error) {
	var out T
	body, err := c.do(ctx, http.MethodPost, path, in)
	if err != nil {
		return out, goesOn(ctx, err)
	}
	defer body.Close()
	lines := json.NewDecoder(body)
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			return out, goesOn(ctx, c.broken(ctx, err))
		}
		switch {
		case l.Failure != nil:
			return out, l.Failure.fault()
		case l.Event != nil:
			if hear != nil {
				hear(*l.Event)
			}
		default:
			if err := json.Unmarshal(l.Result, &out); err != nil {
				return out, c.broken(ctx, err)
			}
			return out, nil
		}
	}
}

// goesOn says what a person's Ctrl-C does not do.
func goesOn(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return fault.Hint(err, "the agent goes on with it: see syncd status; syncd pause stops it")
}
