package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/fault"
)

// givenGate returns the image that the host names for its gates, pulled where it
// is not here. What is wrong with it is the host's trouble, and no revision's:
// Blocked.
func (e *Engine) givenGate(ctx context.Context) (string, error) {
	name := e.opts.GateImage
	in, err := e.inspectNamed(ctx, name)
	if cerrdefs.IsNotFound(err) {
		if err := e.obtain(ctx, name, "", ""); err != nil {
			return "", hosts(fmt.Errorf("gate.image: %w", err))
		}
		in, err = e.inspectNamed(ctx, name)
	}
	if err != nil {
		return "", err
	}
	if tag := instead(name); slices.Contains(in.RepoTags, tag) {
		name = tag // an engine that has not pulled it does not know it by its digest
	}
	return name, e.judgeGate(ctx, name, in)
}

// judgeGate sees that an image is one of a gate that runs on this engine.
func (e *Engine) judgeGate(ctx context.Context, name string, in image.InspectResponse) error {
	var entry []string
	if in.Config != nil {
		entry = in.Config.Entrypoint
	}
	if !slices.Equal(entry, []string{gateProgram}) {
		return hosts(rejected("name an image whose entrypoint is syncd-gate, or take gate.image out: syncd makes one of the program beside it",
			"gate.image in syncd.yaml: the entrypoint of %s is [%s], not [%s]", name, strings.Join(entry, " "), gateProgram))
	}
	info, err := e.engineInfo(ctx)
	if err != nil {
		return err
	}
	if m, known := machines()[info.Architecture]; known && in.Architecture != "" && in.Architecture != m.image {
		return hosts(rejected("name an image of the engine's architecture",
			"gate.image in syncd.yaml: %s is for %s, and the engine runs on %s", name, in.Architecture, info.Architecture))
	}
	return nil
}

// hosts makes an error that blames the input one that the host's owner has to
// mend: no revision is given up for it.
func hosts(err error) error {
	if fault.Of(err) == fault.Rejected {
		return fault.As(fault.Blocked, err)
	}
	return err
}
