package kube

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/resource"
)

// defines tells whether a wanted CustomResourceDefinition serves a kind.
func defines(crd resource.Object, group, kind string) bool {
	u, err := decoded(crd)
	if err != nil {
		return false
	}
	g, _, _ := unstructured.NestedString(u.Object, "spec", "group")
	k, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
	return g == group && k == kind
}
