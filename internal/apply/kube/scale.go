package kube

import (
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
		ref, _, _ := unstructured.NestedStringMap(u.Object, "spec", "scaleTargetRef")
		name := ref["name"]
		k := ref["kind"]
		if k == "" {
			k = "Deployment"
		}
		group := schema.FromAPIVersionAndKind(ref["apiVersion"], k)
		if ref["apiVersion"] == "" {
			group.Group = "apps"
		}
		if out == nil {
			out = map[resource.Key]bool{}
		}
		out[resource.Key{Kind: resource.KindOf(group.Group, group.Kind), Namespace: o.Key.Namespace, Name: name}] = true
	}
	return out
}

// yield takes replicas out of what is applied where an autoscaler owns them. Until
// it does, the live value is applied: to drop a field that we alone own removes
// it, and a workload without replicas falls to one.
func (w *wanted) yield(scaled bool, live *unstructured.Unstructured, managed []metav1.ManagedFieldsEntry) {
	owner := scaler(managed)
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
