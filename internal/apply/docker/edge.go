package docker

import (
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
)

// edgeName is the network that gates publish from. An engine routes a
// container's published ports to the first of its networks by name: this one
// sorts before those of any project, so that joining and leaving them moves
// nothing.
const edgeName = "0-syncd-edge"

// edge sees that the network is there. Its containers cannot reach one another.
func (e *Engine) edge(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	_, err := e.api.NetworkInspect(limited, edgeName, network.InspectOptions{})
	if err == nil || !cerrdefs.IsNotFound(err) {
		return e.classify(ctx, "look at the network of gates", err)
	}
	_, err = e.api.NetworkCreate(limited, edgeName, network.CreateOptions{
		Driver: modeBridge, Labels: map[string]string{labelGate: "edge"},
		Options: map[string]string{"com.docker.network.bridge.enable_icc": "false"},
	})
	if err != nil && !cerrdefs.IsConflict(err) {
		return e.classify(ctx, "create the network of gates", err)
	}
	return nil
}

// leaveEdge removes the network with the last gate.
func (e *Engine) leaveEdge(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	n, err := e.api.NetworkInspect(limited, edgeName, network.InspectOptions{})
	if gone(err) || err == nil && len(n.Containers) > 0 {
		return nil
	}
	if err == nil {
		err = e.api.NetworkRemove(limited, edgeName)
	}
	if err != nil && !gone(err) && !inUse(err) {
		return e.classify(ctx, "remove the network of gates", err)
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
