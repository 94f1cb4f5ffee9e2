package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// fine is the health of what has no health of its own: it is there.
func fine() resource.Health { return resource.Health{State: resource.Well, Started: true} }

// Health returns how the object with this UID is now. What it runs is watched for as
// long as somebody asks.
func (t *Target) Health(ctx context.Context, key resource.Key, ref resource.Ref) (resource.Health, error) {
	known, ok := t.ledger.get(key)
	if !ok {
		return resource.Health{State: resource.Absent}, nil
	}
	id, err := t.identity()
	if err != nil {
		return resource.Health{}, err
	}
	if known.Settled {
		return fine(), nil
	}
	k, err := t.engine.kinds.find(ctx, schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if err != nil {
		return resource.Health{}, err
	}
	check := t.checkOf(key)
	now, err := t.engine.lookout(id, k, known.Namespace, known.Name).show(ctx, known)
	object := now.object
	switch {
	case err != nil:
		return resource.Health{}, err
	case object == nil || string(object.GetUID()) != ref.ID:
		return t.notShown(ctx, id, k, known, ref)
	case object.GetGeneration() < ref.Generation || before(object.GetResourceVersion(), known, ref):
		return resource.Health{State: resource.Progressing, Reason: "the cluster has not told of the change yet"}, nil
	case now.partial: // who has not looked has seen nothing
		return resource.Health{State: resource.Progressing, Reason: "the cluster has not told of all its pods yet", Unseen: true}, nil
	}
	h := health.Of(object, now.parts, check, time.Now())
	h.Reason = t.hide(h.Reason)
	t.ledger.change(key, func(e *entry) {
		if e.UID == ref.ID {
			e.health, e.healthAt, e.naming = h, object.GetResourceVersion(), e.naming.with(now.set)
		}
	})
	return h, nil
}

// before tells whether a version of an object is from before our own put: many kinds
// have no generation that would tell.
func before(version string, known entry, ref resource.Ref) bool {
	if known.UID != ref.ID || known.version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, known.version)
	return err == nil && order < 0
}

// notShown is the health of an object that its watch does not show: it is gone, or
// the watch has not caught up, as after the API server was away. Who fails because of
// it must be right: so the API server is asked.
func (t *Target) notShown(ctx context.Context, id *identity, k kind, known entry, ref resource.Ref) (resource.Health, error) {
	late := resource.Health{State: resource.Progressing, Reason: "the cluster has not told of it yet"}
	if known.fresh && known.UID == ref.ID && time.Since(known.put) < patience {
		return late, nil
	}
	place := placeOf(id, scope{kind: k, namespace: known.Namespace})
	var live *metav1.PartialObjectMetadata
	err := t.engine.bounded(ctx, func(ctx context.Context) (err error) {
		live, err = place.Get(ctx, known.Name, metav1.GetOptions{})
		return err
	})
	switch {
	case apierrors.IsNotFound(err), err == nil && string(live.UID) != ref.ID:
		return resource.Health{State: resource.Absent}, nil
	case err != nil:
		return resource.Health{}, classified(err, "look at "+known.Kind+" "+known.Name)
	}
	return late, nil
}

// feels returns the health of an object at a resource version: as it is remembered
// of that version, else as live says, which is asked for where it is nil.
func (l *look) feels(ctx context.Context, w *wanted, known entry, version string, live *unstructured.Unstructured) (resource.Health, error) {
	if health.Settled(w.manifest, l.checkOf(w.object.Key)) {
		return fine(), nil
	}
	if version != "" && known.healthAt == version {
		return known.health, nil
	}
	if live != nil {
		return l.judge(ctx, w, live)
	}
	live, err := l.get(ctx, w)
	if apierrors.IsNotFound(err) {
		return resource.Health{State: resource.Absent}, nil
	}
	if err != nil {
		return resource.Health{}, classified(err, "look at "+w.object.Key.String())
	}
	return l.judge(ctx, w, live)
}

// judge is the health of a live object, which is remembered with its version. Where
// it is not well, its pods know why.
func (l *look) judge(ctx context.Context, w *wanted, live *unstructured.Unstructured) (resource.Health, error) {
	check := l.checkOf(w.object.Key)
	h := health.Of(live, nil, check, time.Now())
	if h.State != resource.Well && !h.Unseen && health.NeedsPods(live) {
		known, _ := l.ledger.get(w.object.Key)
		parts, err := l.engine.partsNow(ctx, l.identity, live, known.naming)
		if err != nil {
			return h, err
		}
		h = health.Of(live, parts, check, time.Now())
	}
	h.Reason = l.hide(h.Reason)
	l.ledger.change(w.object.Key, func(e *entry) { e.health, e.healthAt = h, live.GetResourceVersion() })
	return h, nil
}
