package endtoend_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// gated is a service behind a gate; it needs half a second to start.
const gated = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1", APP_HEALTHY_AFTER: 500ms}
    ports: ["PORT:8080"]
    x-syncd: {gate: MODE, drain: 2s}
    deploy: {update_config: {order: ORDER}, rollback_config: {order: ORDER}}
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 100ms, retries: 10}
`

// tidyGates removes what gates share, once the tests have ended, unless those of
// others still use it.
func tidyGates() error {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
	defer cancel()
	var failed []error
	if err := api.NetworkRemove(ctx, edge); err != nil && !cerrdefs.IsNotFound(err) && !inUse(err) {
		failed = append(failed, err)
	}
	images, err := api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", "syncd-gate"))})
	for _, i := range images {
		if _, err := api.ImageRemove(ctx, i.ID, image.RemoveOptions{}); err != nil && !inUse(err) && !cerrdefs.IsNotFound(err) {
			failed = append(failed, err)
		}
	}
	return errors.Join(append(failed, err, api.Close())...)
}

// inUse tells that others use something, or have just removed it.
func inUse(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsPermissionDenied(err) || strings.Contains(err.Error(), "unrecognized image ID")
}

// Whose port a gate serves is drift like any other: a gate that somebody removed
// comes back, and one that nothing wants goes.
func TestAGateIsRepairedAndGivesItsPortBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	compose := strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
	plain := strings.Replace(compose, "    x-syncd: {gate: tcp, drain: 2s}\n", "", 1)
	answers := func(when string) {
		t.Helper()
		if got := h.asked(port); got != "1" {
			t.Errorf("%s: %q", when, got)
		}
	}
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	answers("a gate took the port over")
	h.settled()
	gate := h.project + "-web-gate-" + strings.ReplaceAll(port, ":", "-")
	h.must(h.api.ContainerRemove(t.Context(), gate, container.RemoveOptions{Force: true}))
	h.want(h.sync(), reconcile.Applied)
	answers("the gate was made again")
	h.settled()
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	answers("the gate gave the port back")
	h.settled()
	if _, err := h.api.ContainerInspect(t.Context(), gate); !cerrdefs.IsNotFound(err) {
		t.Errorf("the gate is still there: %v", err)
	}
}
