package kube

import (
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What a watch keeps of an object is slim, and shows the same as all of it.
func TestASlimObjectShowsTheSame(t *testing.T) {
	now := metav1.Now()
	fields := func(manager, subresource string, raw string) metav1.ManagedFieldsEntry {
		op := metav1.ManagedFieldsOperationApply
		if manager != Manager {
			op = metav1.ManagedFieldsOperationUpdate
		}
		return metav1.ManagedFieldsEntry{Manager: manager, Subresource: subresource, Operation: op, APIVersion: "apps/v1", Time: &now, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(raw)}
	}
	m := &metav1.PartialObjectMetadata{}
	m.Name, m.Namespace, m.UID, m.ResourceVersion, m.Generation = "web", "shop", "u-1", "42", 7
	m.GenerateName, m.Finalizers = "web-", []string{"example.com/keep"}
	m.Labels = map[string]string{LabelApp: "shop", "tier": "front"}
	m.Annotations = map[string]string{KeepAnnotation: "keep", "note": "long"}
	m.DeletionTimestamp = &now
	m.ManagedFields = []metav1.ManagedFieldsEntry{
		fields(Manager, "", `{"f:spec":{"f:paused":{}}}`),
		fields("kubectl-edit", "", `{"f:spec":{"f:minReadySeconds":{}}}`),
		fields("autoscaler", "scale", `{"f:spec":{"f:replicas":{}}}`),
		fields("controller", "status", `{"f:status":{"f:replicas":{}}}`),
	}
	item, err := slim(m)
	if err != nil {
		t.Fatal(err)
	}
	whole, kept := sight(kind{}, m), sight(kind{}, item.(*metav1.PartialObjectMetadata))
	if len(kept.strange) == 0 || len(kept.scaled) != 1 || kept.own == "" {
		t.Errorf("slim lost something: %+v", kept)
	}
	// All managed fields are at hand in the one; what others have put is worked out of them.
	whole.scaled, whole.strange = kept.scaled, kept.strange
	if !reflect.DeepEqual(whole, kept) {
		t.Errorf("whole: %+v\nslim:  %+v", whole, kept)
	}
	if again, err := slim(item); err != nil || !reflect.DeepEqual(again, item) {
		t.Errorf("slim is not what it was: %+v, %v", again, err)
	}
}
