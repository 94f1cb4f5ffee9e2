package health

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/resource"
)

// Replaces tells whether an object fills one ReplicaSet after the other: a
// Deployment.
func Replaces(object *unstructured.Unstructured) bool {
	return object.GetKind() == kindDeployment && resource.BuiltIn(object.GroupVersionKind().Group)
}

// Progress is what a Deployment's controller says of how it gets on, with the time;
// empty where it says nothing (without a deadline it does not).
func Progress(object *unstructured.Unstructured) string {
	for _, item := range items(object.Object, "status", "conditions") {
		if text(item, "type") == "Progressing" {
			return phrase(text(item, "lastUpdateTime"), text(item, "reason"), text(item, "message"))
		}
	}
	return ""
}

// Fills is the name of the ReplicaSet that a Deployment's controller was filling when
// it last said so: the newest, or for a while after a change the one before. Empty
// where it names none.
func Fills(object *unstructured.Unstructured) string {
	message := conditionOf(object.Object, "Progressing").message
	for _, before := range []string{`ReplicaSet "`, `Created new replica set "`, `Found new replica set "`} {
		if rest, ok := strings.CutPrefix(message, before); ok {
			name, _, _ := strings.Cut(rest, `"`)
			return name
		}
	}
	return ""
}

// NewestSet is the name of the ReplicaSet among parts that a Deployment's controller
// fills; empty where it is not there.
func NewestSet(object *unstructured.Unstructured, parts []unstructured.Unstructured) string {
	if set := newest(object, parts); set != nil {
		return set.GetName()
	}
	return ""
}

// StandIn is a part that stands for the ReplicaSet of a Deployment's present template
// of which only the name is known, and the pods that name it as their owner.
func StandIn(object *unstructured.Unstructured, name string, pods []unstructured.Unstructured) unstructured.Unstructured {
	var out unstructured.Unstructured
	out.SetAPIVersion("apps/v1")
	out.SetKind(kindReplicaSet)
	out.SetNamespace(object.GetNamespace())
	out.SetName(name)
	out.SetUID(ownerOf(name, pods))
	yes := true
	out.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: object.GetAPIVersion(), Kind: object.GetKind(), Name: object.GetName(), UID: object.GetUID(), Controller: &yes}})
	out.Object["spec"] = map[string]any{"template": field(object.Object, "spec", "template")}
	return out
}

// ownerOf is the UID of the ReplicaSet with this name that pods are of; of two, one
// that was made anew, that of those which are not leaving.
func ownerOf(name string, pods []unstructured.Unstructured) (uid types.UID) {
	for i := range pods {
		owner := metav1.GetControllerOfNoCopy(&pods[i])
		if owner == nil || owner.Kind != kindReplicaSet || owner.Name != name {
			continue
		}
		if uid = owner.UID; pods[i].GetDeletionTimestamp() == nil {
			return uid
		}
	}
	return uid
}
