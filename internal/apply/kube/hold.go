package kube

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// hold is a lock that knows when it was last taken or renewed, and tells what its
// calls come to; nil is well.
type hold struct {
	*resourcelock.LeaseLock
	tell func(error)

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

// Get returns the lease's record.
func (h *hold) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := h.LeaseLock.Get(ctx)
	if !apierrors.IsNotFound(err) {
		h.heard(ctx, err)
	}
	return record, raw, err
}

// Create makes the lease, and takes it.
func (h *hold) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return h.take(ctx, func() error { return h.LeaseLock.Create(ctx, record) })
}

// Update takes or renews the lease.
func (h *hold) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return h.take(ctx, func() error { return h.LeaseLock.Update(ctx, record) })
}

func (h *hold) take(ctx context.Context, call func() error) error {
	asked := time.Now()
	err := call()
	h.heard(ctx, err)
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.renewed = asked
	}
	return err
}

// heard tells of trouble; that another was faster is none.
func (h *hold) heard(ctx context.Context, err error) {
	if ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) {
		h.tell(err)
	}
}
