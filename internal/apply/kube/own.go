package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// ownEntry is our entry of an object's managedFields; nil where it has none.
func ownEntry(fields []metav1.ManagedFieldsEntry) *metav1.ManagedFieldsEntry {
	for i, f := range fields {
		if f.Manager == Manager && f.Operation == metav1.ManagedFieldsOperationApply && f.Subresource == "" {
			return &fields[i]
		}
	}
	return nil
}

// ownIn is our entry of an object that was read whole; nil where it has none. The
// others, such as that of its status, are not read: they are most of it.
func ownIn(u *unstructured.Unstructured) (*metav1.ManagedFieldsEntry, error) {
	all, _, _ := unstructured.NestedFieldNoCopy(u.Object, "metadata", "managedFields")
	items, _ := all.([]any)
	for _, item := range items {
		entry, _ := item.(map[string]any)
		if entry["manager"] != Manager || entry["operation"] != string(metav1.ManagedFieldsOperationApply) || entry["subresource"] != nil {
			continue
		}
		var out metav1.ManagedFieldsEntry
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(entry, &out); err != nil {
			return nil, fmt.Errorf("read the managed fields of %s: %w", Manager, err)
		}
		return &out, nil
	}
	return nil, nil //nolint:nilnil // it has none
}

// ownHash identifies our entry as it is now; empty where there is none. The time is
// part of it: another agent of our name may set the same fields to other values.
func ownHash(fields []metav1.ManagedFieldsEntry) string { return hashOf(ownEntry(fields)) }

func hashOf(own *metav1.ManagedFieldsEntry) string {
	if own == nil || own.FieldsV1 == nil {
		return ""
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", own.APIVersion, own.Time)
	sum.Write(own.FieldsV1.GetRawBytes())
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// ownSet are the fields that we own.
func ownSet(fields []metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	own := ownEntry(fields)
	if own == nil {
		return fieldpath.NewSet(), nil
	}
	return setOf(own)
}

func setOf(entry *metav1.ManagedFieldsEntry) (*fieldpath.Set, error) {
	set := fieldpath.NewSet()
	if entry.FieldsV1 == nil {
		return set, nil
	}
	if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
		return nil, fmt.Errorf("read the managed fields of %s: %w", entry.Manager, err)
	}
	return set, nil
}

// scaler is who else owns spec.replicas by way of the scale subresource, as an
// autoscaler does; a person's kubectl scale is none.
func scaler(fields []metav1.ManagedFieldsEntry) string {
	if entry := scalerEntry(fields); entry != nil {
		return entry.Manager
	}
	return ""
}

func scalerEntry(fields []metav1.ManagedFieldsEntry) *metav1.ManagedFieldsEntry {
	replicas := fieldpath.MakePathOrDie("spec", "replicas")
	for i, f := range fields {
		if f.Subresource != "scale" || human(f.Manager) {
			continue
		}
		if set, err := setOf(&fields[i]); err == nil && set.Has(replicas) {
			return &fields[i]
		}
	}
	return nil
}

// takers names the managers that own one of these fields, in order.
func takers(fields []metav1.ManagedFieldsEntry, of *fieldpath.Set) []string {
	var out []string
	for i, f := range fields {
		set, err := setOf(&fields[i])
		if err == nil && f.Manager != Manager && !set.Intersection(of).Empty() && !slices.Contains(out, f.Manager) {
			out = append(out, f.Manager)
		}
	}
	slices.Sort(out)
	return out
}

// machine tells the managers that nobody uses by hand.
func machine(manager string) bool { return !human(manager) }

// human tells the managers that people use by hand.
func human(manager string) bool {
	switch manager {
	case "kubectl", "kubectl-edit", "kubectl-scale", "kubectl-patch", "kubectl-set", "kubectl-client-side-apply", "kubectl-create", "kubectl-replace", "kubectl-label", "kubectl-annotate", "kubectl-rollout":
		return true
	}
	return false
}
