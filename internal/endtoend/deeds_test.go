package endtoend_test

import (
	"context"
	"maps"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// handled has a service for each kind of drift, and one that may drift.
const handled = `
services:
  web:
    image: IMAGE
    restart: unless-stopped
    mem_limit: 64m
    cpus: 0.5
    networks: [default, back]
    PROBE
  db:
    image: IMAGE
    volumes: ["data:/data"]
    PROBE
  log:
    image: IMAGE
    restart: unless-stopped
    PROBE
  quiet:
    image: IMAGE
    restart: unless-stopped
networks: {back: {}}
volumes: {data: {}}
`

const measured = "drift:\n  ignore: [{objects: [container/quiet], fields: [restart], reason: it is measured}]\n"

// deed is something that somebody does by hand.
type deed struct {
	name string
	do   func(ctx context.Context, h *host) error
	// finds are the differences, in the words of the history: those of each step that
	// may be seen for itself, where there are several.
	finds []string
	// passes are differences that may be seen on the way, for a moment.
	passes []string
	// undo takes back what no repair does; nil where one does.
	undo func(ctx context.Context, h *host) error
	// slow tells that it takes longer than a repair of its first half.
	slow bool
}

// on lets a deed have a service's container.
func on(service string, do func(ctx context.Context, h *host, id string) error) func(context.Context, *host) error {
	return func(ctx context.Context, h *host) error { return do(ctx, h, h.one(service).ID) }
}

func updated(service string, u container.UpdateConfig) func(context.Context, *host) error {
	return on(service, func(ctx context.Context, h *host, id string) error {
		_, err := h.api.ContainerUpdate(ctx, id, u)
		return err
	})
}

// deeds are the kinds of drift, each as a client of the engine makes it.
func deeds() []deed {
	return []deed{
		{name: "docker update --memory", do: updated("web", container.UpdateConfig{Resources: container.Resources{Memory: 128 << 20, MemorySwap: 256 << 20}}),
			finds: []string{"container/web/1 resources.memory: 134217728 -> 67108864"}},
		{name: "docker update --cpus", do: updated("web", container.UpdateConfig{Resources: container.Resources{NanoCPUs: 250_000_000}}),
			finds: []string{"container/web/1 resources.cpus: 250000000 -> 500000000"}},
		{name: "docker update --restart", do: updated("web", container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}),
			finds: []string{"container/web/1 restart.name: always -> unless-stopped"}},
		{name: "docker network disconnect", do: on("web", func(ctx context.Context, h *host, id string) error {
			return h.api.NetworkDisconnect(ctx, h.project+"_back", id, true)
		}), finds: offNetwork()},
		{name: "docker network connect", do: on("log", func(ctx context.Context, h *host, id string) error {
			return h.api.NetworkConnect(ctx, h.project+"_back", id, nil)
		}), finds: []string{"container/log/1 networks[back].name: PROJECT_back -> (none)", "container/log/1 networks[back].network: back -> (none)"}},
		{name: "docker stop", do: on("web", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerStop(ctx, id, container.StopOptions{})
		}), finds: []string{"container/web/1 state: exited -> running"}},
		{name: "docker pause", do: on("log", func(ctx context.Context, h *host, id string) error { return h.api.ContainerPause(ctx, id) }),
			finds: []string{"container/log/1 state: paused -> running"}},
		{name: "docker kill", do: on("db", func(ctx context.Context, h *host, id string) error { return h.api.ContainerKill(ctx, id, "KILL") }),
			finds: []string{"container/db/1 state: exited -> running"}},
		{name: "docker rename", do: on("web", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerRename(ctx, id, h.project+"-mine")
		}), finds: []string{"container/web/1 name: PROJECT-mine -> PROJECT-web-1"}},
		{name: "docker run, with our labels", do: on("log", func(ctx context.Context, h *host, id string) error { return h.copyOf(ctx, id, "7") }),
			finds: []string{"container/log/7 extra"}},
		{name: "docker run, in the same slot", do: on("log", func(ctx context.Context, h *host, id string) error { return h.copyOf(ctx, id, "1") }),
			finds: []string{"container/log/1 extra: 2 instances where one is wanted"}},
		{name: "docker run, as somebody else", do: on("log", strange), undo: unstrange,
			finds: []string{"container/log/1 foreign: made by Docker Compose and never taken over"}},
		{name: "docker rm -f", do: on("db", func(ctx context.Context, h *host, id string) error {
			return h.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
		}), finds: []string{"container/db/1 missing"}, passes: []string{"container/db/1 state: exited -> running"}},
		{name: "docker volume rm", slow: true, do: on("db", func(ctx context.Context, h *host, id string) error {
			if err := h.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true}); err != nil {
				return err
			}
			return h.api.VolumeRemove(ctx, h.project+"_data", false)
		}), finds: []string{"container/db/1 missing", "volume/data missing"}, passes: []string{"container/db/1 state: exited -> running"}},
		{name: "docker network rm", slow: true, do: on("web", func(ctx context.Context, h *host, id string) error {
			if err := h.api.NetworkDisconnect(ctx, h.project+"_back", id, true); err != nil {
				return err
			}
			return h.api.NetworkRemove(ctx, h.project+"_back")
		}), finds: append(offNetwork(), "network/back missing")},
	}
}

// offNetwork is what is found of a service that was taken off its network.
func offNetwork() []string {
	return []string{
		`container/web/1 networks[back].aliases: (none) -> ["web"]`,
		"container/web/1 networks[back].name: (none) -> PROJECT_back",
		"container/web/1 networks[back].network: (none) -> back",
	}
}

// strange starts a container in the slot of one of ours that Compose has made.
func strange(ctx context.Context, h *host, id string) error {
	in, err := h.api.ContainerInspect(ctx, id)
	if err != nil {
		return err
	}
	maps.DeleteFunc(in.Config.Labels, func(key, _ string) bool { return strings.HasPrefix(key, "io.syncd.") })
	endpoints := map[string]*network.EndpointSettings{h.project + "_default": {}}
	made, err := h.api.ContainerCreate(ctx, in.Config, in.HostConfig, &network.NetworkingConfig{EndpointsConfig: endpoints}, nil, h.project+"-strange")
	if err != nil {
		return err
	}
	return h.api.ContainerStart(ctx, made.ID, container.StartOptions{})
}

func unstrange(ctx context.Context, h *host) error {
	return h.api.ContainerRemove(ctx, h.project+"-strange", container.RemoveOptions{Force: true})
}

// does does it.
func (h *host) does(do func(context.Context, *host) error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), dockertest.Limit)
	defer cancel()
	h.must(do(ctx, h))
}
