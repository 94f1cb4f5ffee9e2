package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/fault"
)

// LeaseName is the Lease that the leader holds.
const LeaseName = "syncd"

// The times of the lease are those of Kubernetes' own components. A leader that
// could not renew it for renewLimit stops, and has the rest of leaseTime to do
// so, of which it uses lastWords.
const (
	leaseTime  = 15 * time.Second
	renewLimit = 10 * time.Second
	renewEvery = 2 * time.Second
	lastWords  = 4 * time.Second
)

// ErrLostLease ends what a leader does that leads no more.
var ErrLostLease = errors.New("the lease is lost: another agent may lead now")

// Election finds out which of several agents leads.
type Election struct {
	Config    *rest.Config
	Namespace string
	// Identity names this process, and no other.
	Identity string
	// Standby is told who leads, whenever that is somebody else.
	Standby func(leader string)
	// Trouble is told what keeps it from asking for the lease, or from renewing it.
	Trouble func(error)
}

// Lead waits until this process leads, and calls run. Its context ends with ctx,
// or with ErrLostLease as the cause when the lease is lost; leads tells whether it
// is still held, for writes that only a leader may do. A leader that lost it, or
// whose run says so with ErrLostLease, stands by again once run has returned; where run does not in time, Lead does,
// and the process has to end. The lease is given back after run has returned: the
// next leader need not wait. Errors: run's, and Blocked where the agent may not
// use Leases.
func (e Election) Lead(ctx context.Context, run func(ctx context.Context, leads func() error) error) error {
	if err := e.allowed(ctx); err != nil {
		return err
	}
	for {
		err := e.term(ctx, run)
		if ctx.Err() != nil || !errors.Is(err, ErrLostLease) || errors.Is(err, errStuck) {
			return err
		}
		select { // the others are asked first
		case <-ctx.Done():
			return nil
		case <-time.After(renewEvery):
		}
	}
}

var errStuck = errors.New("what was under way did not end in time")

// allowed asks for the lease once: who may not is told so at once, and not once
// the other agent is gone.
func (e Election) allowed(ctx context.Context) error {
	l, err := e.lease()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, renewLimit)
	defer cancel()
	if _, err := l.get(ctx); apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return e.trouble(err)
	}
	return nil
}

func (e Election) trouble(err error) error {
	out := classified(err, "use Lease "+e.Namespace+"/"+LeaseName)
	if apierrors.IsForbidden(err) {
		out = fault.Hint(out, "the agent's Role needs get, create and update of leases in namespace "+e.Namespace+": deploy/kubernetes has one")
	}
	return out
}

// lease is what is held by who leads.
func (e Election) lease() (*lease, error) {
	cfg := rest.CopyConfig(e.Config)
	cfg.Timeout = renewLimit / 2 // a request that hangs leaves time for another
	l, err := newLease(cfg, e.Namespace, e.Identity)
	if err != nil {
		return nil, unusable(fmt.Errorf("make the client for Leases: %w", err), "check the kubeconfig")
	}
	return l, nil
}

// term is one time of leading, and the wait for it.
type term struct {
	Election
	// leading is closed when the lease is ours, over when nobody renews it any more.
	leading, over chan struct{}
	hold          *hold
}

func (e Election) newTerm() (*term, error) {
	l, err := e.lease()
	if err != nil {
		return nil, err
	}
	t := &term{Election: e, leading: make(chan struct{}), over: make(chan struct{})}
	t.hold = &hold{lease: l, tell: t.tell(), met: t.standBy}
	return t, nil
}

func (t *term) standBy(leader string) {
	if leader != t.Identity && t.Standby != nil {
		t.Standby(leader)
	}
}

// tell returns what tells of trouble, once for each.
func (t *term) tell() func(error) {
	last := ""
	return func(err error) {
		text := ""
		if err != nil {
			err = t.trouble(err)
			text = err.Error()
		}
		if text != last && text != "" && t.Trouble != nil {
			t.Trouble(err)
		}
		last = text
	}
}

// term waits for the lease and runs, until one of both ends. The lease is renewed
// until run has ended, also when ctx has.
func (e Election) term(ctx context.Context, run func(context.Context, func() error) error) error {
	t, err := e.newTerm()
	if err != nil {
		return err
	}
	electing, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go func() { defer close(t.over); t.elect(electing) }()
	defer func() { stop(); <-t.over }()
	select {
	case <-ctx.Done():
		t.end(ctx, stop)
		return nil
	case <-t.leading:
	}
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() { ended <- run(running, t.leads) }()
	select {
	case err := <-ended:
		t.end(ctx, stop)
		return err
	case <-t.over:
		cancel(ErrLostLease)
		return abandoned(ended)
	}
}

// elect takes the lease and keeps it, until ctx ends or it is lost.
func (t *term) elect(ctx context.Context) {
	if t.hold.take(ctx) {
		close(t.leading)
		t.hold.keep(ctx)
	}
}

// abandoned waits for a run that lost its lease, but not for long: another may
// lead soon.
func abandoned(ended <-chan error) error {
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil && !errors.Is(err, ErrLostLease) {
			return fmt.Errorf("%w: %w", ErrLostLease, err)
		}
		return ErrLostLease
	case <-timer.C:
		return fault.As(fault.Unreachable, fmt.Errorf("%w, and %w", ErrLostLease, errStuck))
	}
}

// leads tells whether the lease is held: nil, or ErrLostLease. A process that was
// stopped for a while finds out here before it writes.
func (t *term) leads() error {
	select {
	case <-t.over:
	default:
		if t.hold.age() < leaseTime {
			return nil
		}
	}
	return fault.As(fault.Blocked, ErrLostLease)
}

// end stops renewing and gives the lease back, where it is ours.
func (t *term) end(ctx context.Context, stop context.CancelFunc) {
	stop()
	<-t.over
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewLimit/2)
	defer cancel()
	now, err := t.hold.get(ctx)
	if err != nil || holder(now) != t.Identity {
		return // the others wait until it has run out
	}
	t.hold.giveBack(now)
	if _, err := t.hold.update(ctx, now); err != nil && t.Trouble != nil {
		t.Trouble(t.trouble(err))
	}
}
