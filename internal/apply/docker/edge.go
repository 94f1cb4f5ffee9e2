package docker

import (
	"cmp"
	"context"
	"maps"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// edgeName is the network that gates publish from. An engine routes a
// container's published ports to the first of its networks by name: this one
// sorts before those of any project, so that joining and leaving them moves
// nothing. What would sort before it is refused (behindEdge).
const edgeName = "0-syncd-edge"

// edge sees that the network is there. Its containers cannot reach one another.
// Of two that were made at once, which an engine could not tell apart by their
// name, the first stays.
func (e *Engine) edge(ctx context.Context) error {
	list, err := e.edges(ctx)
	if err == nil && len(list) == 0 {
		if err = e.makeEdge(ctx); err == nil {
			list, err = e.edges(ctx)
		}
	}
	if err != nil || len(list) == 0 {
		return err
	}
	for _, n := range list[1:] {
		if err := e.dropEdge(ctx, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// edges are the networks of that name, oldest first.
func (e *Engine) edges(ctx context.Context) ([]network.Inspect, error) {
	list, err := e.networks(ctx)
	list = slices.DeleteFunc(list, func(n network.Inspect) bool { return n.Name != edgeName })
	slices.SortFunc(list, func(a, b network.Inspect) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return list, err
}

func (e *Engine) makeEdge(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	_, err := e.api.NetworkCreate(limited, edgeName, network.CreateOptions{
		Driver: modeBridge, Labels: map[string]string{labelGate: "edge"},
		Options: map[string]string{"com.docker.network.bridge.enable_icc": "false"},
	})
	if err != nil && !cerrdefs.IsConflict(err) {
		return e.classify(ctx, "create the network of gates", err)
	}
	return nil
}

// dropEdge removes such a network, unless somebody is on it.
func (e *Engine) dropEdge(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.NetworkRemove(limited, id); err != nil && !gone(err) && !inUse(err) {
		return e.classify(ctx, "remove the network of gates", err)
	}
	return nil
}

// leaveEdge removes the network with the last gate. One that does not run needs
// it too, and no engine counts that.
func (e *Engine) leaveEdge(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	gates, err := e.api.ContainerList(limited, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", labelGate))})
	if err != nil {
		return e.classify(ctx, "look for other gates", err)
	}
	if len(gates) > 0 {
		return nil
	}
	return e.dropEdge(ctx, edgeName)
}

// behindEdge refuses networks of those behind gates that sort before the edge
// network: published ports would go to the wrong side of a gate that joins them.
func (t *Target) behindEdge() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, route := range slices.SortedFunc(maps.Keys(t.wanted), resource.Key.Compare) {
		for key, o := range t.wanted {
			if route.Kind != spec.KindRoute || key.Kind != spec.KindContainer || key.Namespace != route.Namespace {
				continue
			}
			c, err := decode[spec.Container](o)
			if err != nil {
				return err
			}
			for _, e := range c.Networks {
				if e.Name < edgeName {
					return rejected("give it another name, such as by networks."+e.Network+".name", "validate service %s: its network %s sorts before %s, from which its gate publishes", c.Service, e.Name, edgeName)
				}
			}
		}
	}
	return nil
}

// inUse tells that a gate has come meanwhile.
func inUse(err error) bool { return cerrdefs.IsConflict(err) || cerrdefs.IsPermissionDenied(err) }

// withoutGates disconnects the gates that are on a network about to go: what
// they served there has left them.
func (e *Engine) withoutGates(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	n, err := e.api.NetworkInspect(limited, id, network.InspectOptions{})
	if err != nil {
		return e.classify(ctx, "look at network "+short(id), err)
	}
	for member := range n.Containers {
		in, err := e.inspect(ctx, member)
		if gone(err) || err == nil && in.Config.Labels[labelGate] == "" {
			continue
		}
		if err == nil {
			err = e.api.NetworkDisconnect(limited, id, member, false)
		}
		if err != nil && !gone(err) {
			return e.classify(ctx, "take a gate off network "+n.Name, err)
		}
	}
	return nil
}
