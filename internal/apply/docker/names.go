package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
)

// freeName returns the name for a new instance: the resting name where nothing
// that runs has it, else one with a suffix for the time of the rollout. A
// stopped instance of the slot that has it steps aside.
func (t *Target) freeName(ctx context.Context, s *snapshot, resting, hash string, instances []found) (string, error) {
	free, err := t.vacate(ctx, resting, instances)
	if err != nil {
		return "", err
	}
	if free {
		return resting, nil
	}
	_, digest, _ := strings.Cut(hash, ":")
	name := resting + ".new-" + short(digest)[:8]
	for n := 2; slices.ContainsFunc(s.containers, func(f found) bool { return f.name() == name }); n++ {
		name = fmt.Sprintf("%s.new-%s-%d", resting, short(digest)[:8], n)
	}
	return name, nil
}

// vacate tells whether nobody has the name, having renamed a stopped instance of
// the same slot that had it. Errors: Rejected where a container that is not of
// this slot has it.
func (t *Target) vacate(ctx context.Context, resting string, instances []found) (bool, error) {
	in, err := t.engine.inspect(ctx, resting)
	if cerrdefs.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if strings.TrimPrefix(in.Name, "/") != resting { // the engine also finds by ID prefix
		return true, nil
	}
	mine := in.Config.Labels[labelApp] == t.project || slices.ContainsFunc(instances, func(f found) bool { return f.ID == in.ID })
	switch {
	case !mine:
		return false, rejected("remove or rename that container, or take its project over with `syncd adopt`",
			"the name %s is taken by container %s, which is not ours", resting, short(in.ID))
	case in.State.Running || in.State.Restarting || in.State.Paused:
		return false, nil
	}
	return true, t.engine.rename(ctx, in.ID, resting+".old-"+short(in.ID)[:8])
}

func (e *Engine) rename(ctx context.Context, id, name string) error {
	limited, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	if err := e.api.ContainerRename(limited, id, name); err != nil {
		return e.classify(ctx, fmt.Sprintf("rename container %s to %s", short(id), name), err)
	}
	return nil
}

// settleName gives f its resting name where that can be done now.
func (t *Target) settleName(ctx context.Context, f found, resting string, instances []found) error {
	if f.name() == resting {
		return nil
	}
	others := slices.DeleteFunc(slices.Clone(instances), func(o found) bool { return o.ID == f.ID })
	free, err := t.vacate(ctx, resting, others)
	if err != nil || !free {
		return err
	}
	return t.engine.rename(ctx, f.ID, resting)
}
