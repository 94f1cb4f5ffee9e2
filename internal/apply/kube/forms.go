package kube

import (
	"bytes"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"syncd.io/syncd/internal/resource"
)

// forms are the two sides of a comparison: what the server would store of the
// fields that we shall own, and what it has in those that we own or shall own.
type forms struct {
	stored, live map[string]any
	// by are the managers that own fields which are to be ours.
	by string
	// lent tells that both are equal, by what people have put back: later changes of that
	// do not show in our own entry of the managed fields.
	lent bool
}

// formsOf compares by what a dry run of the apply has returned.
func formsOf(stored, live *unstructured.Unstructured) (forms, error) {
	then, err := ownSet(stored.GetManagedFields())
	if err != nil {
		return forms{}, err
	}
	now, err := ownSet(live.GetManagedFields())
	if err != nil {
		return forms{}, err
	}
	by := takers(live.GetManagedFields(), then.Difference(now))
	out := forms{stored: projected(stored, then), live: projected(live, now.Union(then)), by: strings.Join(by, ", ")}
	switch {
	case !equal(out) || now.Equals(then):
	case len(by) > 0 && !now.Empty() && !slices.ContainsFunc(by, machine):
		out.by, out.lent = "", true
	default:
		// The values are there, and somebody else's: they are shown as not there, for
		// they would go with whoever owns them.
		out.live = projected(live, now)
	}
	return out, nil
}

// offlineForms compares what cannot be applied to the living object.
func offlineForms(want, live *unstructured.Unstructured) (forms, error) {
	now, err := ownSet(live.GetManagedFields())
	if err != nil {
		return forms{}, err
	}
	stored := want.DeepCopy()
	for _, name := range []string{"name", "namespace"} { // the same on both sides, and nobody's field
		unstructured.RemoveNestedField(stored.Object, "metadata", name)
	}
	return forms{stored: identified(stored.Object, want), live: projected(live, now)}, nil
}

func projected(u *unstructured.Unstructured, set *fieldpath.Set) map[string]any {
	out, _ := project(u.Object, set).(map[string]any)
	return identified(out, u)
}

// identified adds what no manager owns and every object has.
func identified(tree map[string]any, u *unstructured.Unstructured) map[string]any {
	if tree == nil {
		tree = map[string]any{}
	}
	tree["apiVersion"], tree["kind"] = u.GetAPIVersion(), u.GetKind()
	return tree
}

func equal(f forms) bool {
	a, errA := resource.Canonical(f.stored)
	b, errB := resource.Canonical(f.live)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
