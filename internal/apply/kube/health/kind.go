package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/resource"
)

// The kinds whose health changes by itself.
const (
	kindAPIService  = "APIService"
	kindClaim       = "PersistentVolumeClaim"
	kindController  = "ReplicationController"
	kindCronJob     = "CronJob"
	kindDaemonSet   = "DaemonSet"
	kindDefinition  = "CustomResourceDefinition"
	kindDeployment  = "Deployment"
	kindJob         = "Job"
	kindNamespace   = "Namespace"
	kindPod         = "Pod"
	kindReplicaSet  = "ReplicaSet"
	kindService     = "Service"
	kindStatefulSet = "StatefulSet"
)

// Settled tells whether the answer to the put says all that there is to know of
// the object's health: nobody has to watch it. That is every built-in kind but
// those that something has to carry out; one with a check of its own never is.
func Settled(object *unstructured.Unstructured, check *resource.Check) bool {
	if object == nil || check != nil || !resource.BuiltIn(object.GroupVersionKind().Group) {
		return false
	}
	switch object.GetKind() {
	case kindService:
		return text(object.Object, "spec", "type") != "LoadBalancer"
	case kindAPIService, kindClaim, kindController, kindDaemonSet, kindDefinition,
		kindDeployment, kindJob, kindPod, kindReplicaSet, kindStatefulSet:
		return false
	}
	return true
}

// scales tells whether a kind keeps a number of pods running.
func scales(kind string) bool {
	switch kind {
	case kindController, kindDaemonSet, kindDeployment, kindReplicaSet, kindStatefulSet:
		return true
	}
	return false
}
