package health

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// generationLabel is on a DaemonSet's pods: the generation of its template that
// they were made from. The DaemonSet carries it as an annotation. (Its hash stands
// in a ControllerRevision only, which may be seen later than the DaemonSet.)
const generationLabel = "pod-template-generation"

// sort the pods of a workload into those of its newest revision and older ones.
// Old pods never speak for the new revision.
func (s *subject) sort(parts []unstructured.Unstructured) {
	if s.kind == kindDeployment {
		s.newest = newest(s.object, parts)
	}
	for _, pod := range s.owned(parts) {
		if s.isNew(&pod) {
			s.pods = append(s.pods, pod)
		} else {
			s.old = append(s.old, pod)
		}
	}
}

// newest returns the ReplicaSet that a Deployment's controller fills, by the
// controller's own rule: the oldest one with the Deployment's template. Its
// revision annotation would not do: for a moment after a change it is on the one
// before. Nil where there is none yet.
func newest(object *unstructured.Unstructured, parts []unstructured.Unstructured) *unstructured.Unstructured {
	var found *unstructured.Unstructured
	want := template(object)
	for i := range parts {
		set := &parts[i]
		if set.GetKind() != kindReplicaSet || !belongs(set, object.GetUID()) || !reflect.DeepEqual(template(set), want) {
			continue
		}
		if found == nil || older(set, found) {
			found = set
		}
	}
	return found
}

func older(a, b *unstructured.Unstructured) bool {
	made, other := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if made.Equal(&other) {
		return a.GetName() < b.GetName()
	}
	return made.Before(&other)
}

// template returns the pod template without the label that tells ReplicaSets
// apart.
func template(object *unstructured.Unstructured) map[string]any {
	tree, _ := field(object.Object, "spec", "template").(map[string]any)
	meta, _ := tree["metadata"].(map[string]any)
	marked, _ := meta["labels"].(map[string]any)
	if marked[appsv1.DefaultDeploymentUniqueLabelKey] == nil {
		return tree
	}
	tree, meta, marked = maps.Clone(tree), maps.Clone(meta), maps.Clone(marked)
	delete(marked, appsv1.DefaultDeploymentUniqueLabelKey)
	meta["labels"], tree["metadata"] = marked, meta
	return tree
}

// owned returns the pods among parts that are this workload's, by name. A
// Deployment's are those of its ReplicaSets.
func (s *subject) owned(parts []unstructured.Unstructured) []corev1.Pod {
	owners := map[types.UID]bool{s.object.GetUID(): true}
	for i := range parts {
		if parts[i].GetKind() == kindReplicaSet && belongs(&parts[i], s.object.GetUID()) {
			owners[parts[i].GetUID()] = true
		}
	}
	var out []corev1.Pod
	for i := range parts {
		if parts[i].GetKind() != kindPod {
			continue
		}
		var pod corev1.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(parts[i].Object, &pod); err != nil {
			continue // no API server returns such a pod: it says nothing
		}
		if owner := metav1.GetControllerOfNoCopy(&pod); owner != nil && owners[owner.UID] {
			out = append(out, pod)
		}
	}
	slices.SortFunc(out, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func belongs(part *unstructured.Unstructured, owner types.UID) bool {
	controller := metav1.GetControllerOfNoCopy(part)
	return controller != nil && controller.UID == owner
}

func (s *subject) isNew(pod *corev1.Pod) bool {
	tree := s.object.Object
	switch s.kind {
	case kindDeployment:
		return s.newest != nil && metav1.GetControllerOfNoCopy(pod).UID == s.newest.GetUID()
	case kindStatefulSet:
		return pod.Labels[appsv1.ControllerRevisionHashLabelKey] == text(tree, "status", "updateRevision")
	case kindDaemonSet:
		return pod.Labels[generationLabel] == text(tree, "metadata", "annotations", appsv1.DeprecatedTemplateGeneration)
	}
	return true
}
