package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/resource"
)

// leaving is how long what was deleted may take to be gone.
const leaving = 30 * time.Second

// Put applies an object and returns its Ref. What was deleted and is not gone yet is
// waited for; a job that failed is made anew.
func (t *Target) Put(ctx context.Context, object resource.Object) (resource.Ref, error) {
	ref, err := t.put(ctx, object)
	return ref, t.hidden(err)
}

func (t *Target) put(ctx context.Context, object resource.Object) (resource.Ref, error) {
	w, err := t.wantedSoon(ctx, object)
	if err != nil {
		return resource.Ref{}, err
	}
	id, err := t.identity()
	if err != nil {
		return resource.Ref{}, err
	}
	if known, ok := t.ledger.get(object.Key); ok && known.remake {
		if err := t.clear(ctx, id, w, known); err != nil {
			return resource.Ref{}, err
		}
	}
	if err := t.stillFree(ctx, id, w); err != nil {
		return resource.Ref{}, err
	}
	if err := t.yieldAtPut(ctx, id, w); err != nil {
		return resource.Ref{}, err
	}
	if !health.Settled(w.manifest, w.object.Check) { // it will be awaited
		t.engine.expects(id, w.kind, w.manifest.GetNamespace(), w.manifest.GetName())
	}
	live, err := t.apply(ctx, id, w)
	if err == nil {
		live, err = t.takeOver(ctx, id, w, live)
	}
	if err != nil {
		return resource.Ref{}, err
	}
	t.booked(w, live)
	if err := t.unblock(ctx, id, live); err != nil {
		return resource.Ref{}, err
	}
	return resource.Ref{ID: string(live.GetUID()), Generation: live.GetGeneration()}, nil
}

// servedWithin is how long a kind whose definition is established may take to be told of.
const servedWithin = 10 * time.Second

// wantedSoon is wanted for an object whose kind comes with its own set: who tells what is
// served is a little behind the definition.
func (t *Target) wantedSoon(ctx context.Context, object resource.Object) (*wanted, error) {
	end := time.Now().Add(servedWithin)
	w, err := t.wanted(ctx, object)
	for errors.Is(err, errNoKind) && time.Now().Before(end) {
		if ended := nap.For(ctx, refreshPause); ended != nil {
			return nil, ended
		}
		w, err = t.wanted(ctx, object)
	}
	return w, err
}

// apply sends the object. One that is on its way out would swallow the change: its
// end is waited for.
func (t *Target) apply(ctx context.Context, id *identity, w *wanted) (live *unstructured.Unstructured, err error) {
	doing := "apply " + w.object.Key.String()
	for tried := false; ; tried = true {
		err = t.engine.bounded(ctx, func(ctx context.Context) error {
			live, err = id.apply(ctx, w, false)
			return err
		})
		switch {
		case err != nil:
			return nil, classified(err, doing)
		case live.GetDeletionTimestamp() == nil:
			return live, nil
		case tried:
			return nil, stuck(w.object.Key, live)
		}
		if err := t.awaitGone(ctx, id, w, string(live.GetUID())); err != nil {
			return nil, err
		}
	}
}

// apply is one server-side apply, or what it would do.
func (id *identity) apply(ctx context.Context, w *wanted, dry bool) (*unstructured.Unstructured, error) {
	body, err := w.manifest.MarshalJSON()
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("write its manifest: %w", err))
	}
	return id.at(w).Patch(ctx, w.manifest.GetName(), applyPatch, body, applying(dry))
}

// booked remembers what a put has made.
func (t *Target) booked(w *wanted, live *unstructured.Unstructured) {
	known := entryOf(w, live)
	known.fresh, known.version, known.put = true, live.GetResourceVersion(), time.Now()
	if before, _ := t.ledger.get(w.object.Key); before.UID == known.UID {
		known.naming = before.naming
	}
	known.naming = known.naming.put(live)
	t.ledger.set(w.object.Key, known)
	t.engine.forgetAutoscalers(w.object.Key)
	if w.kind.gvk.Kind == "CustomResourceDefinition" {
		t.engine.kinds.stale()
	}
}

// yieldAtPut leaves replicas to an autoscaler, by what is live now.
func (t *Target) yieldAtPut(ctx context.Context, id *identity, w *wanted) error {
	if _, says, _ := unstructured.NestedFieldNoCopy(w.manifest.Object, "spec", "replicas"); !says {
		return nil
	}
	seen, err := t.engine.seen(ctx, id, w)
	if err != nil {
		return err
	}
	known, have := t.ledger.get(w.object.Key)
	if seen == nil && (!have || known.awaited()) { // it is new
		return nil
	}
	if seen != nil {
		owner, err := t.scalerOf(ctx, id, w, seen.scaled)
		if err != nil {
			return err
		}
		if owner != "" || !t.isScaled(w.object.Key) {
			w.yield(t.isScaled(w.object.Key), nil, owner)
			return nil
		}
	}
	live, err := t.engine.get(ctx, id.at(w), w.manifest.GetName())
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return classified(err, "look at the replicas of "+w.object.Key.String())
	}
	owner, err := t.scalerOf(ctx, id, w, live.GetManagedFields())
	w.yield(t.isScaled(w.object.Key), live, owner)
	return err
}

// freshLook is how long an observation tells that a name is free.
const freshLook = 5 * time.Second

// stillFree refuses to take over what somebody else has made since the app was
// looked at: a rollout may take long.
func (t *Target) stillFree(ctx context.Context, id *identity, w *wanted) error {
	t.mu.Lock()
	recent := time.Since(t.looked) < freshLook
	t.mu.Unlock()
	if _, known := t.ledger.get(w.object.Key); known || recent {
		return nil
	}
	live, err := t.engine.get(ctx, id.at(w), w.manifest.GetName())
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return classified(err, "look at "+w.object.Key.String())
	case labelled(live) && mine(live, t.engine.agent, t.app) || t.isAdopted(string(live.GetUID())):
		return nil
	}
	return fault.As(fault.Blocked, fmt.Errorf("%s was made by %s meanwhile", w.object.Key, makerOf(live)))
}

// clear removes a job that failed, with its pods, and waits for its end.
func (t *Target) clear(ctx context.Context, id *identity, w *wanted, known entry) error {
	err := t.delete(ctx, id, w.kind, w.manifest.GetNamespace(), w.manifest.GetName(), known.UID)
	if err != nil {
		return classified(err, "remove the failed "+w.object.Key.String())
	}
	return t.awaitGone(ctx, id, w, known.UID)
}

// awaitGone waits until the object with this UID is no more.
func (t *Target) awaitGone(ctx context.Context, id *identity, w *wanted, uid string) error {
	return t.gone(ctx, id, w.object.Key, w.kind, w.manifest.GetNamespace(), w.manifest.GetName(), uid)
}

// gone waits until an object is no more. Errors: Unhealthy, with the finalizers that
// keep it.
func (t *Target) gone(ctx context.Context, id *identity, key resource.Key, k kind, namespace, name, uid string) error {
	const first, most = 20 * time.Millisecond, time.Second
	deadline := time.Now().Add(t.engine.leaving)
	for pause := first; ; pause = min(2*pause, most) {
		live, err := t.engine.get(ctx, id.client(k, namespace), name)
		switch {
		case apierrors.IsNotFound(err) || err == nil && string(live.GetUID()) != uid:
			return nil
		case err != nil:
			return classified(err, "wait for the end of "+key.String())
		case time.Now().After(deadline):
			return stuck(key, live)
		}
		if err := nap.For(ctx, pause); err != nil {
			return err
		}
	}
}

// stuck is the error for an object that does not end.
func stuck(key resource.Key, live *unstructured.Unstructured) error {
	err := fmt.Errorf("%s was deleted at %s and is still there", key, live.GetDeletionTimestamp().UTC().Format(time.RFC3339))
	hint := "something in the cluster is slow to end it"
	if f := live.GetFinalizers(); len(f) > 0 {
		err = fmt.Errorf("%w: it has the finalizers %s", err, strings.Join(f, ", "))
		hint = "who set these finalizers has to take them away: is that controller running?"
	}
	return fault.Hint(fault.As(fault.Unhealthy, err), hint)
}
