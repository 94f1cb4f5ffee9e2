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

// begin starts a container and runs its post_start hooks. It returns when the
// hooks have ended, healthy or not. Until then the container has a name that says
// so: whatever ends this process, whoever looks next knows that they have not.
// What does not start well is kept from being revived, and left for inspection.
func (t *Target) begin(ctx context.Context, id, name string, after []spec.Hook) error {
	err := t.engine.start(ctx, id)
	if err == nil {
		err = t.runHooks(ctx, id, hookSet{kind: "post_start", list: after, limit: t.engine.limits.hook})
	}
	if err != nil && (fault.Of(err) == fault.Unreachable || ctx.Err() != nil) {
		return err
	}
	if err != nil {
		err = errors.Join(err, t.engine.halt(context.WithoutCancel(ctx), id))
	}
	if len(after) > 0 {
		err = errors.Join(err, t.engine.rename(ctx, id, name))
	}
	return err
}

func (e *Engine) start(ctx context.Context, id string) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.ContainerStart(limited, id, container.StartOptions{}); err != nil {
		return e.classify(ctx, "start container "+short(id), err)
	}
	return nil
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
	if err := e.reviveNoMore(ctx, in); err != nil {
		return err
	}
	return e.stop(ctx, in)
}

// reviveNoMore takes away the restart policy: once it ends, it stays so.
func (e *Engine) reviveNoMore(ctx context.Context, in container.InspectResponse) error {
	if in.HostConfig.RestartPolicy.IsNone() {
		return nil
	}
	return e.neverRevive(ctx, in.ID)
}

func (e *Engine) neverRevive(ctx context.Context, id string) error {
	return e.update(ctx, id, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}})
}

// stop lets the container end by its own stop signal and grace; a gate by the
// drain that it goes by now, which may be longer than when it was made.
func (e *Engine) stop(ctx context.Context, in container.InspectResponse) error {
	limit, opts := grace(in), container.StopOptions{}
	if in.Config.Labels[labelGate] != "" {
		if table, err := e.readTable(ctx, in.ID); err == nil {
			seconds := gateGrace(storedDrain(table))
			limit, opts.Timeout = time.Duration(seconds)*time.Second, &seconds
		}
	}
	limited, cancel := context.WithTimeout(ctx, limit+writeLimit)
	defer cancel()
	if err := e.api.ContainerStop(limited, in.ID, opts); err != nil && !gone(err) {
		return e.classify(ctx, "stop container "+short(in.ID), err)
	}
	return nil
}

// grace is how long the container may take to end.
func grace(in container.InspectResponse) time.Duration {
	if in.Config.StopTimeout != nil {
		return time.Duration(*in.Config.StopTimeout) * time.Second
	}
	return defaultStopSeconds * time.Second
}

// Stop implements apply.Stopper: without a restart policy, the engine cannot
// revive a second writer.
func (t *Target) Stop(ctx context.Context, key resource.Key, ref resource.Ref) error {
	if key.Kind != spec.KindContainer && key.Kind != spec.KindRoute {
		return nil
	}
	if err := t.stillOurs(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	if err := t.beforeStop(ctx, ref.ID); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	if err := t.engine.halt(ctx, ref.ID); err != nil {
		return fmt.Errorf("stop %s: %w", key, err)
	}
	return nil
}

// beforeStop runs the pre_stop hooks of a running container, and then gives those
// who send it requests the time to notice. Whatever hooks do, what has to go is
// stopped then.
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
	pause := t.pauseOf(in) // before a hook makes it unwell
	if pause > 0 {
		if err := t.engine.reviveNoMore(ctx, in); err != nil {
			return err
		}
	}
	if err := t.preStop(ctx, in); err != nil {
		return err
	}
	return t.engine.linger(ctx, id, pause)
}

// preStop runs the pre_stop hooks for as long as the container may take to stop,
// and at least for a stop's usual time.
func (t *Target) preStop(ctx context.Context, in container.InspectResponse) error {
	err := t.runHooks(ctx, in.ID, hookSet{
		kind: "pre_stop", list: t.hooksFor(in.ID, in.Config.Labels).PreStop, limit: max(grace(in), t.engine.limits.stop),
	})
	if err == nil || ctx.Err() != nil || fault.Of(err) == fault.Unreachable && !t.engine.alive(ctx) {
		return err
	}
	if t.engine.opts.Ignored != nil {
		t.engine.opts.Ignored(fmt.Errorf("stop %s: %w", strings.TrimPrefix(in.Name, "/"), err))
	}
	return nil
}

// Remove implements apply.Target. It never removes volumes with a container.
func (t *Target) Remove(ctx context.Context, key resource.Key, ref resource.Ref) error {
	err := t.stillOurs(ctx)
	if err != nil {
		return fmt.Errorf("remove %s: %w", key, err)
	}
	switch key.Kind {
	case spec.KindContainer:
		err = t.removeContainer(ctx, ref.ID)
	case spec.KindNetwork:
		err = t.engine.removeNetwork(ctx, ref)
	case spec.KindVolume:
		err = t.engine.removeVolume(ctx, ref)
	case spec.KindRoute:
		if err = t.removeContainer(ctx, ref.ID); err == nil {
			err = errors.Join(t.engine.leaveEdge(ctx), t.rest(ctx, key))
		}
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
	switch key.Kind {
	case spec.KindContainer:
	case spec.KindRoute:
		return t.routeHealth(ctx, ref)
	default:
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

// confirmed looks at a failure once more, for an engine that goes down stops its
// containers. Such a failure is nobody's; the engine is unreachable.
func (t *Target) confirmed(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	if err := t.engine.knock(ctx); err != nil {
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
