package health

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// Part is a kind of object that an object's health is read from besides itself.
type Part struct {
	Resource schema.GroupVersionResource
	// Selector is the label selector of those that may belong to it, in its
	// namespace. Which of them do is Of's business.
	Selector string
}

// Parts returns what Of wants to see besides a live object: the pods of a
// workload, and the ReplicaSets of a Deployment, for only they tell its new pods
// from its old ones. None for everything else, and for a workload that selects
// nothing, or everything.
func Parts(object *unstructured.Unstructured) []Part {
	selector := selectorOf(object)
	if selector == "" {
		return nil
	}
	pods := Part{Resource: schema.GroupVersionResource{Version: "v1", Resource: "pods"}, Selector: selector}
	if object.GetKind() == kindDeployment {
		return []Part{{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}, Selector: selector}, pods}
	}
	return []Part{pods}
}

// Due returns how many pods there are of a workload by the count of its controller, those
// that ended among them as far as it counts them.
func Due(object *unstructured.Unstructured) int {
	sum := int64(0)
	for _, name := range []string{"replicas", "currentNumberScheduled", "active", "succeeded", "failed"} {
		sum += number(object.Object, 0, "status", name)
	}
	return int(sum)
}

// NeedsPods tells whether the health of an object is read from its pods too.
func NeedsPods(object *unstructured.Unstructured) bool {
	return object != nil && resource.BuiltIn(object.GroupVersionKind().Group) &&
		(scales(object.GetKind()) || object.GetKind() == kindJob)
}

func selectorOf(object *unstructured.Unstructured) string {
	if !NeedsPods(object) {
		return ""
	}
	tree, _ := field(object.Object, "spec", "selector").(map[string]any)
	if object.GetKind() == kindController {
		set, _, err := unstructured.NestedStringMap(object.Object, "spec", "selector")
		if err != nil {
			return ""
		}
		return labels.SelectorFromSet(set).String()
	}
	var spec metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(tree, &spec); err != nil {
		return ""
	}
	selector, err := metav1.LabelSelectorAsSelector(&spec)
	if err != nil || selector.Empty() {
		return ""
	}
	return selector.String()
}
