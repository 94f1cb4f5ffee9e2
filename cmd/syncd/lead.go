package main

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/server"
)

// inTurns runs an agent that keeps its record in the cluster: only while it leads.
// Meanwhile and before, it answers at its socket.
func inTurns(ctx context.Context, host config.Host, w wiring, opts server.Options) error {
	election, err := electionOf(host)
	if err != nil {
		return err
	}
	t := &turns{namespace: election.Namespace}
	election.Standby = func(leader string) {
		t.follow(leader)
		w.vitals.standsBy()
		w.log.Info("standing by", "leader", podOf(leader))
	}
	election.Trouble = func(err error) { w.log.Warn("the lease is in trouble", "error", err, "hint", fault.Advice(err)) }
	w.log.Info("waiting to lead", "namespace", election.Namespace, "identity", election.Identity)
	group, ctx := errgroup.WithContext(ctx)
	if err := respond(ctx, group, t, opts, host, w); err != nil {
		return err
	}
	group.Go(func() error { listen(ctx, t.Look); return nil })
	group.Go(func() error {
		return election.Lead(ctx, func(ctx context.Context, leads func() error) error { return t.turn(ctx, host, w, leads) })
	})
	return group.Wait()
}

// turn is one time of leading. What is no longer true, or out of reach, ends it,
// and not the process: the next turn begins anew.
func (t *turns) turn(ctx context.Context, host config.Host, w wiring, leads func() error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	w.seat = seat{leads: leads, lost: func(err error) { end(fmt.Errorf("%w: %w", kube.ErrLostLease, err)) }}
	w.log.Info("leading")
	a, done, err := openLocal(ctx, host, w)
	switch {
	case ctx.Err() != nil:
		return ended(ctx, w.log, finished(done))
	case fault.Of(err) == fault.Unreachable:
		return ended(ctx, w.log, fmt.Errorf("%w: %w", kube.ErrLostLease, err))
	case err != nil:
		return err
	}
	t.sit(a)
	err = work(ctx, a, host, w.readOnly, func(text string) { w.log.Info(text) })
	t.sit(nil)
	if closed := done(); err == nil {
		err = closed
	}
	return ended(ctx, w.log, err)
}

// ended tells why a turn ended, where that was not the process's end.
func ended(ctx context.Context, log *slog.Logger, err error) error {
	if err == nil && ctx.Err() != nil && fault.Of(context.Cause(ctx)) != fault.Unknown {
		err = context.Cause(ctx)
	}
	if err != nil {
		log.Warn("leading no more", "error", err, "hint", fault.Advice(err))
	}
	return err
}
