package kube

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/nap"
)

// unblock removes the pods that keep a StatefulSet from its new revision: in order,
// its controller waits for a pod of an older one that never becomes ready, and so
// does every way back (kubernetes/kubernetes #67250).
func (t *Target) unblock(ctx context.Context, id *identity, live *unstructured.Unstructured) error {
	if live.GroupVersionKind().GroupKind() != (schema.GroupKind{Group: "apps", Kind: "StatefulSet"}) {
		return nil
	}
	parts, err := t.engine.partsNow(ctx, id, live, nil)
	if err != nil || !slices.ContainsFunc(parts, unready) {
		return err
	}
	if live, err = t.observed(ctx, id, live); err != nil {
		return err
	}
	stuck := health.Stuck(live, parts)
	pods := kind{gvk: schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, gvr: schema.GroupVersionResource{Version: "v1", Resource: "pods"}, namespaced: true}
	for _, p := range parts {
		if p.GetKind() != "Pod" || !slices.Contains(stuck, p.GetName()) || metav1.GetControllerOfNoCopy(&p) == nil {
			continue
		}
		if err := t.delete(ctx, id, pods, p.GetNamespace(), p.GetName(), string(p.GetUID())); err != nil {
			return classified(err, "remove pod "+p.GetName()+", which blocks its StatefulSet")
		}
	}
	return nil
}

// unready tells a pod that is not ready.
func unready(p unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(p.Object, "status", "conditions")
	return !slices.ContainsFunc(conditions, func(c any) bool {
		fields, _ := c.(map[string]any)
		return fields["type"] == "Ready" && fields["status"] == "True"
	})
}

// seenWait is how long a controller may take to see a change before nobody waits for
// that any more.
const seenWait = 5 * time.Second

// observed returns the StatefulSet as soon as its controller has seen the change:
// only then does its status tell the newest revision.
func (t *Target) observed(ctx context.Context, id *identity, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	place := id.dynamic.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}).Namespace(live.GetNamespace())
	for deadline := time.Now().Add(seenWait); time.Now().Before(deadline); {
		seen, _, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
		if seen >= live.GetGeneration() {
			break
		}
		if err := nap.For(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
		fresh, err := t.engine.get(ctx, place, live.GetName())
		if err != nil {
			return nil, classified(err, "look at StatefulSet "+live.GetName())
		}
		live = fresh
	}
	return live, nil
}
