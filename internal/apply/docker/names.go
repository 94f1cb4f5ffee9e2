package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"

	"syncd.io/syncd/internal/spec"
)

// starting is in the name of a container whose post_start hooks have not ended.
// Only the engine outlives an agent that is killed meanwhile, and a name is what
// it lets us change on what runs: it is drift, which a put mends by running them
// once more.
const starting = ".starting-"

// unproven is the name that c has until its hooks have ended: the one that it is to
// have, where it has none.
func unproven(name string, c spec.Container) string {
	if len(c.PostStart) == 0 {
		return name
	}
	const length = 8
	return name + starting + strings.ToLower(rand.Text()[:length])
}

// freeName returns the name for a new instance: the resting name where nothing
// that runs has it, else one with a suffix for the time of the rollout. What is
// stopped and has it steps aside.
func (t *Target) freeName(ctx context.Context, s *snapshot, resting, hash string) (string, error) {
	free, err := t.vacate(ctx, s, resting)
	if err != nil {
		return "", err
	}
	if free {
		return resting, nil
	}
	_, digest, _ := strings.Cut(hash, ":")
	name := beside(resting, digest)
	for n := 2; slices.ContainsFunc(s.containers, func(f found) bool { return f.name() == name }); n++ {
		name = fmt.Sprintf("%s-%d", beside(resting, digest), n)
	}
	return name, nil
}

// passing is in the name of an instance for as long as another one has its own.
const passing = ".new-"

// beside is that name.
func beside(resting, id string) string {
	const length = 8
	return resting + passing + short(id)[:length]
}

// vacate tells whether nobody has the name, having renamed a stopped container of
// ours that had it. Errors: Rejected where a container that is not ours has it.
func (t *Target) vacate(ctx context.Context, s *snapshot, resting string) (bool, error) {
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
	switch {
	case !t.mayTouch(s, found{InspectResponse: in}):
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

// nameFor returns the resting name where f can have it now, else one beside it.
func (t *Target) nameFor(ctx context.Context, s *snapshot, f found, resting string) (string, error) {
	if f.name() == resting {
		return resting, nil
	}
	free, err := t.vacate(ctx, s, resting)
	if err != nil || free {
		return resting, err
	}
	name, _, _ := strings.Cut(f.name(), starting)
	if name == resting {
		name = beside(resting, f.ID)
	}
	return name, nil
}

// settleName gives f its resting name where that can be done now.
func (t *Target) settleName(ctx context.Context, s *snapshot, f found, resting string) error {
	name, err := t.nameFor(ctx, s, f, resting)
	if err != nil || name == f.name() {
		return err
	}
	return t.engine.rename(ctx, f.ID, name)
}
