// Package dockertest is what tests on a real engine need: a client, a unique
// project whose every trace is removed at the end, and images of a small static
// program, built here because no registry can be reached.
package dockertest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

const (
	// Limit bounds every engine call and every wait of these helpers.
	Limit = time.Minute

	prefix       = "syncdtest-"
	projectLabel = "com.docker.compose.project"
)

// Client returns a client of the local engine. It skips the test under -short,
// and fails it where no engine answers.
func Client(t testing.TB) *client.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatalf("make engine client: %v", err)
	}
	t.Cleanup(func() { api.Close() }) //nolint:errcheck // nothing is left to do about it
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	if _, err := api.Ping(ctx); err != nil {
		t.Fatalf("no Docker engine answers (start one, or run with -short): %v", err)
	}
	return api
}

// Name returns a unique name for a project, a network, a volume.
func Name() string { return prefix + strings.ToLower(rand.Text())[:10] }

// Project returns a unique project name. When the test ends, failed or not, its
// containers, networks and volumes are removed: by Compose's label, and by the
// name as a prefix.
func Project(t testing.TB) string {
	t.Helper()
	api, name := Client(t), Name()
	t.Cleanup(func() { Remove(t, api, name) })
	return name
}

// Remove removes all containers, networks and volumes of a project.
func Remove(t testing.TB, api *client.Client, project string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	removeContainers(ctx, t, api, project)
	networks, err := api.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		t.Errorf("clean up: list networks: %v", err)
	}
	for _, n := range networks {
		if belongs(project, n.Labels, n.Name) {
			if err := api.NetworkRemove(ctx, n.ID); err != nil {
				t.Errorf("clean up: remove network %s: %v", n.Name, err)
			}
		}
	}
	volumes, err := api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		t.Errorf("clean up: list volumes: %v", err)
		return
	}
	for _, v := range volumes.Volumes {
		if belongs(project, v.Labels, v.Name) {
			if err := api.VolumeRemove(ctx, v.Name, true); err != nil {
				t.Errorf("clean up: remove volume %s: %v", v.Name, err)
			}
		}
	}
}

func belongs(project string, labels map[string]string, name string) bool {
	return labels[projectLabel] == project || labels["io.syncd.app"] == project || strings.HasPrefix(strings.TrimPrefix(name, "/"), project)
}

// removeContainers also takes the anonymous volumes with them.
func removeContainers(ctx context.Context, t testing.TB, api *client.Client, project string) {
	t.Helper()
	list, err := api.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		t.Errorf("clean up: list containers: %v", err)
	}
	anonymous := map[string]bool{}
	for _, c := range list {
		if len(c.Names) == 0 || !belongs(project, c.Labels, c.Names[0]) && c.Labels["io.syncd.check"] != project {
			continue
		}
		for _, m := range c.Mounts {
			anonymous[m.Name] = len(m.Name) == 64
		}
		if err := api.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			t.Errorf("clean up: remove container %s: %v", c.Names[0], err)
		}
	}
	for name, is := range anonymous {
		if is { // one that was carried over has a name, and stays
			if err := api.VolumeRemove(ctx, name, true); err != nil && !cerrdefs.IsNotFound(err) {
				t.Errorf("clean up: remove volume %s: %v", name, err)
			}
		}
	}
}

// Containers returns the containers of a project, stopped ones too.
func Containers(t testing.TB, api *client.Client, project string) []container.InspectResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit) // also in cleanups
	defer cancel()
	list, err := api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", projectLabel+"="+project))})
	if err != nil {
		t.Fatalf("list containers: %v", err)
	}
	var out []container.InspectResponse
	for _, c := range list {
		in, err := api.ContainerInspect(ctx, c.ID)
		if cerrdefs.IsNotFound(err) {
			continue // it has just gone
		}
		if err != nil {
			t.Fatalf("inspect container: %v", err)
		}
		out = append(out, in)
	}
	return out
}

// Eventually polls until ok, and fails the test after Limit.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s in vain: %s", Limit, what)
		}
	}
}

// removeImage also removes what still runs of the image, which no other test
// has: else only its name would go. A project that is removed later finds less.
func removeImage(t testing.TB, api *client.Client, ref, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	list, err := api.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("ancestor", id))})
	if err != nil {
		t.Errorf("clean up: list containers: %v", err)
	}
	for _, c := range list {
		err := api.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
		if err != nil && !cerrdefs.IsNotFound(err) {
			t.Errorf("clean up: remove container %s: %v", short(c.Names), err)
		}
	}
	for _, name := range []string{ref, id} {
		_, err := api.ImageRemove(ctx, name, image.RemoveOptions{Force: true, PruneChildren: true})
		if err != nil && !cerrdefs.IsNotFound(err) {
			t.Errorf("clean up: remove image %s: %v", name, err)
		}
	}
}

func short(names []string) string { return strings.TrimPrefix(strings.Join(names, " "), "/") }
