package main

import (
	"context"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/reconcile"
)

// need is how much a verb depends on the engine.
type need int

const (
	// unneeded: the record alone answers.
	unneeded need = iota
	// optional: without an engine there is less to tell.
	optional
	// required: nothing can be done without.
	required
	// awaited: the agent starts before the engine does, and waits for it.
	awaited
)

// The pauses between two tries to reach an engine that is awaited.
const (
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// engine is a target that is open.
type engine interface {
	reconcile.Engine
	Close() error
}

// target is what an agent keeps, before it is open.
type target struct {
	// name is what a person calls it.
	name string
	open func(ctx context.Context) (engine, error)
}

// targetOf is what the host's settings name: an engine, or a cluster.
func (w wiring) targetOf(host config.Host, agent string) target {
	if host.Kubernetes != nil {
		return w.clusterOf(host, agent)
	}
	return w.dockerOf(host, agent)
}

// openEngine connects to the target as far as the verb needs one.
func (w wiring) openEngine(ctx context.Context, host config.Host, agent string, open *closers) (reconcile.Engine, error) {
	if w.engine == unneeded {
		return nil, nil
	}
	t := w.targetOf(host, agent)
	opened, err := t.open(ctx)
	for pause := firstWait; err != nil && w.engine == awaited && fault.Of(err) == fault.Unreachable; pause = min(2*pause, lastWait) {
		w.vitals.waitsFor(t.name)
		w.log.Warn("the "+t.name+" does not answer", "error", err, "again", pause.String())
		if err := nap.For(ctx, pause); err != nil {
			return nil, err
		}
		opened, err = t.open(ctx)
	}
	switch {
	case err == nil:
		open.add(opened.Close)
		return opened, nil
	case w.engine == optional && fault.Of(err) == fault.Unreachable:
		w.note(err.Error() + ": what runs now is unknown")
		return nil, nil
	default:
		return nil, err
	}
}

// deaf tells that the engine's events ended, after which the adapter listens anew,
// or that a hook failed which keeps nothing from going on.
func (w wiring) deaf(err error) {
	if w.hear != nil {
		w.hear(reconcile.Event{Text: err.Error()})
	}
}
