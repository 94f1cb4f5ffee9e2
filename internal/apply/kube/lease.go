package kube

import (
	"context"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// lease is the Lease that the leader holds.
type lease struct {
	client    typed
	namespace string
	identity  string
}

func newLease(cfg *rest.Config, namespace, identity string) (*lease, error) {
	client, err := newTyped(cfg, nil, coordination.SchemeGroupVersion, &coordination.Lease{})
	if err != nil {
		return nil, err
	}
	return &lease{client: client, namespace: namespace, identity: identity}, nil
}

// get returns the Lease as it is now.
func (l *lease) get(ctx context.Context) (*coordination.Lease, error) {
	out := &coordination.Lease{}
	err := l.client.Get().Namespace(l.namespace).Resource("leases").Name(LeaseName).Do(ctx).Into(out)
	return out, err
}

// create makes the Lease, as ours.
func (l *lease) create(ctx context.Context) (*coordination.Lease, error) {
	made := &coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Namespace: l.namespace, Labels: map[string]string{LabelManagedBy: Manager}}}
	l.claim(made)
	out := &coordination.Lease{}
	err := l.client.Post().Namespace(l.namespace).Resource("leases").Body(made).Do(ctx).Into(out)
	return out, err
}

// update writes the Lease in place of the version that was read, and returns it as it
// is then.
func (l *lease) update(ctx context.Context, now *coordination.Lease) (*coordination.Lease, error) {
	out := &coordination.Lease{}
	err := l.client.Put().Namespace(l.namespace).Resource("leases").Name(LeaseName).Body(now).Do(ctx).Into(out)
	return out, err
}

// claim makes the Lease ours from now on, or for longer.
func (l *lease) claim(of *coordination.Lease) {
	now, seconds := metav1.NowMicro(), int32(leaseTime/time.Second)
	if holder(of) != l.identity {
		changes := int32(0)
		if of.Spec.LeaseTransitions != nil {
			changes = *of.Spec.LeaseTransitions + 1
		}
		of.Spec.AcquireTime, of.Spec.LeaseTransitions = &now, &changes
	}
	of.Spec.HolderIdentity, of.Spec.LeaseDurationSeconds, of.Spec.RenewTime = &l.identity, &seconds, &now
}

// giveBack lets whoever comes next have the Lease at once.
func (l *lease) giveBack(of *coordination.Lease) {
	now, nobody, seconds := metav1.NowMicro(), "", int32(1)
	of.Spec.HolderIdentity, of.Spec.LeaseDurationSeconds = &nobody, &seconds
	of.Spec.RenewTime, of.Spec.AcquireTime = &now, &now
}

// holder is who has a Lease; empty where nobody does.
func holder(of *coordination.Lease) string {
	if of.Spec.HolderIdentity == nil {
		return ""
	}
	return *of.Spec.HolderIdentity
}

// termOf is how long a Lease holds without being renewed.
func termOf(l *coordination.Lease) time.Duration {
	if l.Spec.LeaseDurationSeconds == nil {
		return 0
	}
	return time.Duration(*l.Spec.LeaseDurationSeconds) * time.Second
}
