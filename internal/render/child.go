package render

import (
	"context"
	"fmt"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// Child renders in a child process, without network where the system allows it.
type Child struct {
	Sandbox sandbox.Child
	// Limits are the host's; a zero field is the default. FetchMemory bounds
	// rendering too.
	Limits config.Limits
}

// Discover finds the apps of a snapshot. The error is Rejected where the
// repository's content is to blame.
func (c Child) Discover(ctx context.Context, req DiscoverRequest) (Discovery, error) {
	var out Discovery
	if err := c.Sandbox.Call(ctx, "discover", req, &out, bounds(c.Limits.Defaults())); err != nil {
		return Discovery{}, fmt.Errorf("find the apps: %w", err)
	}
	return out, nil
}

// Render makes the objects of one app. MaxObjects and MaxBytes of the request
// are set from the limits. The error is Rejected where the app's content is to
// blame.
func (c Child) Render(ctx context.Context, req Request) (Answer, error) {
	limits := c.Limits.Defaults()
	req.MaxObjects, req.MaxBytes = limits.Objects, int64(limits.RenderSize)
	var out Answer
	if err := c.Sandbox.Call(ctx, "render", req, &out, bounds(limits)); err != nil {
		return Answer{}, fmt.Errorf("render app %s: %w", req.App.Name, err)
	}
	return out, nil
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
