package main

import (
	"context"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/compose"
	"syncd.io/syncd/internal/render/kube"
	"syncd.io/syncd/internal/sandbox"
)

// rendering are the operations that need the renderers.
func rendering() map[string]sandbox.Op {
	return map[string]sandbox.Op{
		"discover": sandbox.Handle(discover),
		"render":   sandbox.Handle(renderApp),
	}
}

// discover finds the apps of the target that the request is for.
func discover(ctx context.Context, req render.DiscoverRequest) (render.Discovery, error) {
	if req.Kubernetes {
		return kube.Discover(ctx, req)
	}
	return compose.Discover(ctx, req)
}

// renderApp makes the objects of the target that the request is for.
func renderApp(ctx context.Context, req render.Request) (render.Answer, error) {
	if req.Kubernetes {
		return kube.Render(ctx, req)
	}
	return compose.Render(ctx, req)
}
