package docker

import (
	"context"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// putAttempts bounds how often a race (a name taken, a container gone
// meanwhile) is met with a new look.
const putAttempts = 4

// Put implements apply.Target. A container is mended where only fields differ
// that the engine can change on a living one; else a new one is made beside it.
func (t *Target) Put(ctx context.Context, o resource.Object) (resource.Ref, error) {
	var ref resource.Ref
	var err error
	switch o.Key.Kind {
	case spec.KindContainer:
		ref, err = t.putContainer(ctx, o)
	case spec.KindNetwork, spec.KindVolume:
		ref, err = t.putBase(ctx, o)
	case spec.KindRoute:
		ref, err = t.Route(ctx, o, apply.Traffic{})
	default:
		err = rejected("use a kind that a Docker engine knows", "unknown kind %q", o.Key.Kind)
	}
	if err != nil {
		return resource.Ref{}, fmt.Errorf("put %s: %w", o.Key, err)
	}
	return ref, nil
}

// putBase puts what containers stand on.
func (t *Target) putBase(ctx context.Context, o resource.Object) (resource.Ref, error) {
	if err := t.stillOurs(ctx); err != nil {
		return resource.Ref{}, err
	}
	return again(func() (resource.Ref, error) {
		if o.Key.Kind == spec.KindNetwork {
			return t.putNetwork(ctx, o)
		}
		return t.putVolume(ctx, o)
	})
}

func (t *Target) putContainer(ctx context.Context, o resource.Object) (resource.Ref, error) {
	t.note(o)
	return again(func() (resource.Ref, error) { return t.place(ctx, o) })
}

// again takes another look where a race was lost.
func again(put func() (resource.Ref, error)) (ref resource.Ref, err error) {
	for range putAttempts {
		if ref, err = put(); !raced(err) {
			return ref, err
		}
	}
	return ref, err
}

// raced tells whether another look may find a way: somebody took a name, made a
// second network of one name, or removed something, between our look and our call.
func raced(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsNotFound(err) || err != nil && strings.Contains(err.Error(), "is ambiguous")
}

// place makes the slot hold o, from one look at the project.
func (t *Target) place(ctx context.Context, o resource.Object) (resource.Ref, error) {
	c, err := t.compare(ctx, o)
	if err != nil {
		return resource.Ref{}, err
	}
	s, err := t.look(ctx)
	if err != nil {
		return resource.Ref{}, err
	}
	if s.title == lost {
		return resource.Ref{}, s.owner.takenOver()
	}
	instances := t.mine(s, s.slotInstances(o.Key))
	fit, err := t.fitting(ctx, s, c, o, instances)
	if err != nil {
		return resource.Ref{}, err
	}
	if fit != nil {
		return resource.Ref{ID: fit.ID}, t.mend(ctx, s, c, *fit)
	}
	id, err := t.create(ctx, s, c, o, instances)
	return resource.Ref{ID: id}, err
}

// mine leaves out what is neither labelled nor adopted.
func (t *Target) mine(s *snapshot, list []found) []found {
	var out []found
	for _, f := range list {
		if t.mayTouch(s, f) {
			out = append(out, f)
		}
	}
	return out
}

// fitting returns the instance that equals c or can be mended to: one that runs
// before one that does not. A job fits while it runs, and when it is done.
func (t *Target) fitting(ctx context.Context, s *snapshot, c *comparison, o resource.Object, instances []found) (*found, error) {
	var fit *found
	for i, f := range instances {
		if !usable(f, o) {
			continue
		}
		live, err := t.live(ctx, s, f, c)
		if err != nil {
			return nil, err
		}
		equal, err := same(c.stored, live, s.inPlace(c, []found{f}))
		if err != nil {
			return nil, err
		}
		if equal && (fit == nil || f.State.Running && !fit.State.Running) {
			fit = &instances[i]
		}
	}
	return fit, nil
}

func usable(f found, o resource.Object) bool {
	if f.State.Dead || f.State.Status == "removing" {
		return false
	}
	if o.Once && f.State.Status == "exited" {
		return f.State.ExitCode == 0 && (f.labels()[labelHash] == o.Hash() || !ours(f))
	}
	return true
}
