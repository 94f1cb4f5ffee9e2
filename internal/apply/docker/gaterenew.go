package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// RenewGate puts a gate of today's program in the place of ref, with its table
// and its networks. Two cannot publish one port: the new one is made first; the
// old one goes on until nothing is in flight, or for as long as its drain; what
// is left is the time of a stop and a start. Where the new one does not listen,
// the old one is started again. Whatever ends this in between, a put of the route
// goes on from there. Errors: Blocked for a gate that is not ours.
func (e *Engine) RenewGate(ctx context.Context, app string, ref resource.Ref) (apply.Renewal, error) {
	t := e.Target(app)
	s, err := t.look(ctx)
	if err != nil {
		return apply.Renewal{}, err
	}
	i := slices.IndexFunc(s.gates, func(g found) bool { return g.ID == ref.ID })
	switch {
	case s.title == lost:
		return apply.Renewal{}, s.owner.takenOver()
	case i < 0:
		return apply.Renewal{}, rejected("", "gate %s of app %s is gone", short(ref.ID), app)
	case !t.mayTouch(s, s.gates[i]):
		return apply.Renewal{}, fault.As(fault.Blocked, fmt.Errorf("gate %s was made by %s", s.gates[i].name(), maker(s.gates[i].labels())))
	}
	return t.renew(ctx, s, s.gates[i])
}

func (t *Target) renew(ctx context.Context, s *snapshot, old found) (apply.Renewal, error) {
	out := apply.Renewal{From: t.engine.described(s, old).Program}
	if err := t.dropHalfMade(ctx, s, old); err != nil {
		return out, err
	}
	table, err := t.engine.readTable(ctx, old.ID)
	if err != nil {
		return out, err
	}
	fresh, err := t.successor(ctx, s, old, table)
	if err != nil {
		return out, err
	}
	last := quiet(ctx, func(ctx context.Context) (gate.Answer, error) { return t.engine.askGate(ctx, old.ID, nil) }, storedDrain(table))
	if last.Version != "" {
		out.From.Version = last.Version
	}
	if ctx.Err() != nil {
		return out, errors.Join(context.Cause(ctx), t.engine.discard(ctx, fresh))
	}
	answer, gap, err := t.swap(ctx, old.ID, fresh, table)
	out.Gap, out.Cut = resource.Duration(gap), inFlight(last)
	if err != nil {
		return out, errors.Join(err, t.engine.discard(ctx, fresh)) // where that has not been done yet
	}
	out.To = apply.GateProgram{Version: answer.Version, Image: t.engine.newestGate().Image}
	// It serves from here on, whatever else goes wrong.
	return out, errors.Join(t.engine.revive(context.WithoutCancel(ctx), fresh), t.Remove(ctx, gateSlot(old.labels()), resource.Ref{ID: old.ID}))
}

// dropHalfMade removes what an earlier renewal left that was cut short before
// the old gate stopped.
func (t *Target) dropHalfMade(ctx context.Context, s *snapshot, old found) error {
	for _, g := range s.gates {
		if g.ID != old.ID && gateSlot(g.labels()) == gateSlot(old.labels()) && !g.State.Running {
			if err := t.engine.discard(ctx, g.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// successor makes the gate that is to take the place of old, once its program has
// shown that it runs, and does not start it. Until old is gone it has another name.
func (t *Target) successor(ctx context.Context, s *snapshot, old found, table gate.Table) (string, error) {
	image, err := t.engine.gateImage(ctx)
	if err == nil {
		err = t.engine.proveGate(ctx, t.project, image)
	}
	if err != nil {
		return "", err
	}
	key := gateSlot(old.labels())
	labels := t.gateLabels(resource.Object{Key: key})
	labels[labelHash] = old.labels()[labelHash]
	r := spec.Route{Port: gatePublished(old), Drain: storedDrain(table), Aliases: gateNames(old)}
	id, err := t.createGate(ctx, beside(t.gateName(key), old.ID), labels, r, image)
	if err != nil {
		return "", err
	}
	err = t.armGate(ctx, s, fresh(id), r, table)
	if err == nil { // it ends where it does not come up
		err = t.engine.neverRevive(ctx, id)
	}
	if err != nil {
		return "", errors.Join(err, t.engine.discard(ctx, id))
	}
	return id, nil
}

// rest gives the only gate of a slot its own name.
func (t *Target) rest(ctx context.Context, route resource.Key) error {
	all, err := t.engine.projectContainers(ctx, t.project)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(f found) bool { return !f.isGate() || gateSlot(f.labels()) != route })
	if len(all) != 1 || !t.misnamed(all, all[0]) {
		return nil
	}
	return t.engine.rename(ctx, all[0].ID, t.gateName(route))
}
