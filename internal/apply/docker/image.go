package docker

import (
	"context"
	"path"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/go-connections/nat"

	cerrdefs "github.com/containerd/errdefs"
)

// imageFacts are what containers inherit from an image.
type imageFacts struct {
	id                  string
	entrypoint, command []string
	env, labels         map[string]string
	workingDir, user    string
	stopSignal          string
	exposed             map[string]bool
	volumes             map[string]bool
	healthcheck         container.HealthConfig
	// absent is true where the engine does not have the image any more.
	absent bool
}

func (i *imageFacts) exposes(port nat.Port) bool { return i.exposed[string(port)] }

func factsOf(in image.InspectResponse) *imageFacts {
	f := &imageFacts{id: in.ID}
	cfg := in.Config
	if cfg == nil {
		return f
	}
	f.entrypoint, f.command = cfg.Entrypoint, cfg.Cmd
	f.env, f.labels = environment(cfg.Env), cfg.Labels
	f.workingDir, f.user, f.stopSignal = cfg.WorkingDir, cfg.User, cfg.StopSignal
	f.exposed, f.volumes = map[string]bool{}, map[string]bool{}
	for port := range cfg.ExposedPorts {
		f.exposed[string(spreadPorts(port)[0])] = true
	}
	for target := range cfg.Volumes {
		f.volumes[path.Clean(target)] = true
	}
	if cfg.Healthcheck != nil {
		f.healthcheck = *cfg.Healthcheck
	}
	return f
}

// image returns the facts of the image with this ID, from memory where they are:
// an ID's content never changes. An image that is gone is no error.
func (e *Engine) image(ctx context.Context, id string) (*imageFacts, error) {
	e.mu.Lock()
	known := e.images[id]
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	in, err := e.inspectImage(ctx, id)
	if cerrdefs.IsNotFound(err) {
		return &imageFacts{id: id, absent: true}, nil
	}
	if err != nil {
		return nil, err
	}
	facts := factsOf(in)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.images) >= maxImageFacts {
		clear(e.images)
	}
	e.images[in.ID] = facts
	return facts, nil
}

const maxImageFacts = 1000

func (e *Engine) inspectImage(ctx context.Context, ref string) (image.InspectResponse, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	in, err := e.api.ImageInspect(limited, ref)
	if err != nil {
		return in, e.classify(ctx, "inspect image "+ref, err)
	}
	return in, nil
}
