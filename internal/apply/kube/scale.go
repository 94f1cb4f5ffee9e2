package kube

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// scaledBy returns the workloads that an autoscaler among the wanted objects
// scales: an HorizontalPodAutoscaler, or KEDA's ScaledObject.
func scaledBy(want []resource.Object) map[resource.Key]bool {
	var out map[resource.Key]bool
	for _, o := range want {
		if o.Key.Kind != "HorizontalPodAutoscaler" && o.Key.Kind != "ScaledObject.keda.sh" {
			continue
		}
		u, err := decoded(o)
		if err != nil {
			continue
		}
		if out == nil {
			out = map[resource.Key]bool{}
		}
		out[scaleTarget(u, o.Key.Namespace)] = true
	}
	return out
}

// scaleTarget is the workload that an autoscaler names.
func scaleTarget(u *unstructured.Unstructured, namespace string) resource.Key {
	ref, _, _ := unstructured.NestedStringMap(u.Object, "spec", "scaleTargetRef")
	k := ref["kind"]
	if k == "" {
		k = "Deployment"
	}
	group := schema.FromAPIVersionAndKind(ref["apiVersion"], k)
	if ref["apiVersion"] == "" {
		group.Group = "apps"
	}
	return resource.Key{Kind: resource.KindOf(group.Group, group.Kind), Namespace: namespace, Name: ref["name"]}
}

// scalerOf is who else owns an object's replicas, and is to have them. What the
// cluster's own autoscaler has set last stays its own in name after nothing asks for
// that any more: then they are ours again.
func (t *Target) scalerOf(ctx context.Context, id *identity, w *wanted, managed []metav1.ManagedFieldsEntry) (string, error) {
	owner, set := scaler(managed), time.Time{}
	if owner != autoscaler || t.isScaled(w.object.Key) {
		return owner, nil
	}
	if _, says, _ := unstructured.NestedFieldNoCopy(w.manifest.Object, "spec", "replicas"); !says {
		return owner, nil
	}
	if entry := scalerEntry(managed); entry.Time != nil {
		set = entry.Time.Time
	}
	wanted, err := t.engine.autoscales(ctx, id, w.object.Key, set)
	if err != nil || wanted {
		return owner, err
	}
	return "", nil
}

// yield takes replicas out of what is applied where an autoscaler, owner, has them. Until
// it does, the live value is applied: to drop a field that we alone own removes
// it, and a workload without replicas falls to one.
func (w *wanted) yield(scaled bool, live *unstructured.Unstructured, owner string) {
	if !scaled && owner == "" {
		return
	}
	if _, says, _ := unstructured.NestedFieldNoCopy(w.manifest.Object, "spec", "replicas"); !says {
		return
	}
	if owner != "" {
		unstructured.RemoveNestedField(w.manifest.Object, "spec", "replicas")
		w.hash += " scaled by " + owner
		return
	}
	if live == nil {
		return
	}
	if n, ok, _ := unstructured.NestedFieldNoCopy(live.Object, "spec", "replicas"); ok {
		_ = unstructured.SetNestedField(w.manifest.Object, n, "spec", "replicas")
	}
}
