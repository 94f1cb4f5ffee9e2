package main

import (
	"context"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/compose"
	"syncd.io/syncd/internal/render/kube"
	"syncd.io/syncd/internal/sandbox"
)

// rendering are the operations that need the renderers.
func rendering() map[string]sandbox.Op {
	return map[string]sandbox.Op{
		"discover": sandbox.Handle(discover),
		"render":   sandbox.HandleEach(renderEach),
	}
}

// discover finds the apps of the target that the request is for.
func discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	if req.Kubernetes {
		return kube.Discover(ctx, req)
	}
	return compose.Discover(ctx, req)
}

// renderEach makes the objects of each app, for the target that the batch is for.
func renderEach(ctx context.Context, batch render.Batch, reply func(render.Answer, error) error) error {
	shared := batch.Shared
	shared.Paths = slices.Sorted(maps.Keys(shared.Tracked))
	for i, req := range batch.Requests {
		if i > 0 {
			freeLast()
		}
		req.Shared = shared
		if err := reply(renderApp(ctx, req)); err != nil {
			return err
		}
	}
	return nil
}

func renderApp(ctx context.Context, req render.Request) (render.Answer, error) {
	if req.Kubernetes {
		return kube.Render(ctx, req)
	}
	return compose.Render(ctx, req)
}

// freeLast gives back what the app before took, where that was much of what the child
// may have: the next one gets what it would have alone.
func freeLast() {
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	if limit := debug.SetMemoryLimit(-1); int64(now.HeapInuse) > limit/8 {
		debug.FreeOSMemory()
	}
}
