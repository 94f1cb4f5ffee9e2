package kube

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"syncd.io/syncd/internal/nap"
)

// hold takes a Lease and keeps it. It knows when that was renewed last, and tells what
// its calls come to; nil is well. The clocks of others do not matter: a Lease has run
// out when it was seen unchanged for as long as it holds.
type hold struct {
	*lease
	tell func(error)
	// met is told who has the lease, whenever that changes.
	met func(holder string)

	// seen is the version of the Lease that was seen last, since when, and who had it.
	seen   string
	since  time.Time
	leader string
	// ours is the Lease as we wrote it last: nobody else has to have written it since.
	// Nil where it has to be read.
	ours *coordination.Lease

	mu      sync.Mutex // guards renewed
	renewed time.Time
}

// age is the time since the lease was last taken or renewed: since that was asked
// for, for the answer may have been long on its way.
func (h *hold) age() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.renewed)
}

// take waits until the lease is ours; false where ctx ends before.
func (h *hold) take(ctx context.Context) bool {
	for !h.try(ctx) {
		if nap.For(ctx, renewEvery+rand.N(renewEvery)) != nil { // not all who wait at once
			return false
		}
	}
	return ctx.Err() == nil
}

// keep renews the lease, until ctx ends, or somebody else has it, or it is renewLimit
// ago that it came off.
func (h *hold) keep(ctx context.Context) {
	for nap.For(ctx, renewEvery) == nil && h.renew(ctx) {
	}
}

// renew tries until the lease is renewed; false where keep is to end.
func (h *hold) renew(ctx context.Context) bool {
	limited, done := context.WithTimeout(ctx, renewLimit-h.age())
	defer done()
	for !h.try(limited) {
		if h.leader != h.identity || nap.For(limited, renewEvery) != nil {
			return false
		}
	}
	return true
}

// try takes or renews the lease, and tells whether it is ours. Where somebody else has
// written it meanwhile, who that was is asked at once: two may lead now.
func (h *hold) try(ctx context.Context) bool {
	asked := time.Now()
	free, err := h.ask(ctx)
	for range 2 {
		if overtaken(err) {
			free, err = h.ask(ctx)
		}
	}
	h.heard(ctx, err)
	if err != nil || !free {
		return false
	}
	h.meet(h.identity)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.renewed = asked
	return true
}

// ask writes the lease as ours, unless it is somebody else's: then it is not free.
func (h *hold) ask(ctx context.Context) (free bool, err error) {
	now := h.ours
	h.ours = nil
	if now == nil {
		now, err = h.get(ctx)
	}
	switch {
	case apierrors.IsNotFound(err):
		now, err = h.create(ctx)
	case err != nil:
	case !h.free(now):
		h.meet(holder(now))
		return false, nil
	default:
		h.claim(now)
		now, err = h.update(ctx, now)
	}
	if err == nil {
		h.ours = now
	}
	return true, err
}

// overtaken tells whether a write was refused because the Lease is not as it was read.
func overtaken(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}

// free tells whether the lease may be taken: it is ours, or nobody's, or has run out.
func (h *hold) free(now *coordination.Lease) bool {
	if now.ResourceVersion != h.seen {
		h.seen, h.since = now.ResourceVersion, time.Now()
	}
	return holder(now) == "" || holder(now) == h.identity || time.Since(h.since) > termOf(now)
}

func (h *hold) meet(leader string) {
	if leader != h.leader {
		h.leader = leader
		h.met(leader)
	}
}

// heard tells of trouble; that another was faster is none.
func (h *hold) heard(ctx context.Context, err error) {
	if ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
		h.tell(err)
	}
}
