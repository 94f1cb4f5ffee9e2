package render

import (
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// Child renders in child processes, without network where the system allows it: at
// most a few at a time, each of which renders what has come to wait meanwhile. It is
// not copied once it is in use.
type Child struct {
	Sandbox sandbox.Child
	// Limits are the host's; a zero field is the default. FetchMemory bounds
	// rendering too.
	Limits config.Limits

	queue queue
}

// Discover finds the apps of a snapshot. The error is Rejected where the
// repository's content is to blame.
func (c *Child) Discover(ctx context.Context, req DiscoverRequest) (Discovery, error) {
	var out Discovery
	if err := c.Sandbox.Call(ctx, "discover", req, &out, bounds(c.Limits.Defaults())); err != nil {
		return Discovery{}, fmt.Errorf("find the apps: %w", err)
	}
	return out, nil
}

// Render makes the objects of one app. MaxObjects and MaxBytes are set from the
// limits. The error is Rejected where the app's content is to blame, and only after
// a child that had no other app ran into its limits.
func (c *Child) Render(ctx context.Context, req Request) (Answer, error) {
	if ctx.Err() != nil {
		return Answer{}, fmt.Errorf("render app %s: %w", req.App.Name, context.Cause(ctx))
	}
	t := newTask(req)
	c.queue.enter(t, c.begin(context.WithoutCancel(ctx)))
	select {
	case <-t.settled:
	case <-ctx.Done():
		c.queue.leave(t)
		return Answer{}, fmt.Errorf("render app %s: %w", req.App.Name, context.Cause(ctx))
	}
	if t.err != nil {
		return Answer{}, fmt.Errorf("render app %s: %w", req.App.Name, t.err)
	}
	return t.answer, nil
}

// bounds leaves twice the rendered size for the answer: inputs, mounts and
// their encoding come on top of the objects.
func bounds(limits config.Limits) sandbox.Limits {
	return sandbox.Limits{
		Time:         limits.RenderTime.D(),
		TimeoutClass: fault.Rejected,
		Memory:       int64(limits.FetchMemory),
		Output:       2*int64(limits.RenderSize) + 1<<20,
		TimeKey:      "limits.renderTime",
		MemoryKey:    "limits.fetchMemory",
		OutputKey:    "limits.renderSize",
	}
}

// patience is for how long an app may keep others waiting: a tenth of what it may take
// at all, one second at least. What people deploy renders in milliseconds. One that
// takes longer is not yet to blame: it is rendered alone, with all the time there is.
func patience(limit time.Duration) time.Duration {
	return min(limit, max(limit/10, time.Second))
}
