package render

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/sandbox"
)

// What a rendering may use where the configuration says nothing.
const (
	defaultTime    = time.Minute
	defaultMemory  = 1 << 30
	defaultSize    = 10 << 20
	defaultObjects = 5000
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
	if err := c.Sandbox.Call(ctx, "discover", req, &out, c.bounds()); err != nil {
		return Discovery{}, fmt.Errorf("find the apps: %w", err)
	}
	return out, nil
}

// Render makes the objects of one app. MaxObjects and MaxBytes of the request
// are set from the limits where they are zero. The error is Rejected where the
// app's content is to blame.
func (c Child) Render(ctx context.Context, req Request) (Answer, error) {
	req.MaxObjects = cmp.Or(req.MaxObjects, c.Limits.Objects, defaultObjects)
	req.MaxBytes = cmp.Or(req.MaxBytes, c.size())
	var out Answer
	if err := c.Sandbox.Call(ctx, "render", req, &out, c.bounds()); err != nil {
		return Answer{}, fmt.Errorf("render app %s: %w", req.App.Name, err)
	}
	return out, nil
}

func (c Child) size() int64 { return cmp.Or(int64(c.Limits.RenderSize), defaultSize) }

// bounds leaves twice the rendered size for the answer: inputs, mounts and
// their encoding come on top of the objects.
func (c Child) bounds() sandbox.Limits {
	return sandbox.Limits{
		Time:         cmp.Or(c.Limits.RenderTime.D(), defaultTime),
		TimeoutClass: fault.Rejected,
		Memory:       cmp.Or(int64(c.Limits.FetchMemory), defaultMemory),
		Output:       2*c.size() + 1<<20,
		TimeKey:      "limits.renderTime",
		MemoryKey:    "limits.fetchMemory",
		OutputKey:    "limits.renderSize",
	}
}
