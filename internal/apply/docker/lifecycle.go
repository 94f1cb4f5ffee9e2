package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// gone tells whether err says that there is nothing to do any more.
func gone(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsNotModified(err) ||
		cerrdefs.IsConflict(err) && strings.Contains(err.Error(), "already in progress")
}

// start starts a container and runs its post_start hooks. It returns when the
// engine has started it, healthy or not.
func (t *Target) start(ctx context.Context, id string, after []spec.Hook) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := t.engine.api.ContainerStart(limited, id, container.StartOptions{}); err != nil {
		return t.engine.classify(ctx, "start container "+short(id), err)
	}
	for _, h := range after {
		if err := t.engine.runHook(ctx, id, h); err != nil {
			return fmt.Errorf("run post_start hook: %w", err)
		}
	}
	return nil
}

// startFailed keeps what did not start well from being revived, and leaves it
// for inspection.
func (t *Target) startFailed(ctx context.Context, id string, cause error) error {
	if fault.Of(cause) == fault.Unreachable || ctx.Err() != nil {
		return cause
	}
	return errors.Join(cause, t.engine.halt(context.WithoutCancel(ctx), id))
}

// halt takes away the restart policy and stops the container.
func (e *Engine) halt(ctx context.Context, id string) error {
	in, err := e.inspect(ctx, id)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !in.HostConfig.RestartPolicy.IsNone() {
		never := container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}}
		if err := e.update(ctx, id, never); err != nil {
			return err
		}
	}
	return e.stop(ctx, in)
}

// stop lets the container end by its own stop signal and grace.
func (e *Engine) stop(ctx context.Context, in container.InspectResponse) error {
	grace := defaultStopSeconds * time.Second
	if in.Config.StopTimeout != nil {
		grace = time.Duration(*in.Config.StopTimeout) * time.Second
	}
	limited, cancel := context.WithTimeout(ctx, grace+writeLimit)
	defer cancel()
	if err := e.api.ContainerStop(limited, in.ID, container.StopOptions{}); err != nil && !gone(err) {
		return e.classify(ctx, "stop container "+short(in.ID), err)
	}
	return nil
}

// Stop implements apply.Stopper: without a restart policy, the engine cannot
// revive a second writer.
func (t *Target) Stop(ctx context.Context, key resource.Key, ref resource.Ref) error {
	if key.Kind != spec.KindContainer {
		return nil
	}
	if err := t.beforeStop(ctx, ref.ID); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	if err := t.engine.halt(ctx, ref.ID); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	return nil
}

// beforeStop runs the pre_stop hooks of a running container. One that fails does
// not keep the container from being stopped, as in Compose's own rule for a
// container that is on its way out.
func (t *Target) beforeStop(ctx context.Context, id string) error {
	in, err := t.engine.inspect(ctx, id)
	if gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !in.State.Running || in.State.Paused {
		return nil
	}
	for _, h := range t.hooksFor(id, in.Config.Labels).PreStop {
		err := t.engine.runHook(ctx, id, h)
		if err != nil && fault.Of(err) != fault.Unhealthy && !gone(err) {
			return fmt.Errorf("run pre_stop hook: %w", err)
		}
	}
	return nil
}

// Remove implements apply.Target. It never removes volumes with a container.
func (t *Target) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	var err error
	switch key.Kind {
	case spec.KindContainer:
		err = t.removeContainer(ctx, ref.ID)
	case spec.KindNetwork:
		err = t.removeNetwork(ctx, ref)
	case spec.KindVolume:
		err = t.removeVolume(ctx, ref)
	case spec.KindRoute:
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	return nil
}

func (t *Target) removeContainer(ctx context.Context, id string) error {
	if err := t.beforeStop(ctx, id); err != nil {
		return err
	}
	if err := t.engine.halt(ctx, id); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := t.engine.api.ContainerRemove(limited, id, container.RemoveOptions{}); err != nil && !gone(err) {
		return t.engine.classify(ctx, "remove container "+short(id), err)
	}
	return nil
}

// Health implements apply.Target.
func (t *Target) Health(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	if key.Kind != spec.KindContainer {
		return resource.Health{State: resource.Well, Started: true}, nil
	}
	in, err := t.engine.inspect(ctx, ref.ID)
	if cerrdefs.IsNotFound(err) {
		return resource.Health{State: resource.Absent, Reason: "the container is gone"}, nil
	}
	if err != nil {
		return resource.Health{}, fmt.Errorf("health of %s: %w", key, err)
	}
	h := t.healthOf(key, in)
	if h.State == resource.Failed {
		return t.confirmed(ctx, key, ref)
	}
	return h, nil
}

// confirmed looks at a failure once more, on a connection of its own: an engine
// that goes down stops its containers, and still tells so on open connections.
// Such a failure is nobody's; the engine is unreachable.
func (t *Target) confirmed(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	if err := t.engine.api.Close(); err != nil { // closes idle connections, no more
		return resource.Health{}, fmt.Errorf("health of %s: %w", key, err)
	}
	in, err := t.engine.inspect(ctx, ref.ID)
	if cerrdefs.IsNotFound(err) {
		return resource.Health{State: resource.Absent, Reason: "the container is gone"}, nil
	}
	if err != nil {
		return resource.Health{}, fmt.Errorf("health of %s: %w", key, err)
	}
	return t.healthOf(key, in), nil
}
