package kube

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/resource"
)

// ownFields is what the server stored of our own fields of an object, as canonical
// JSON: for as long as nobody touches them, a comparison needs no second look at
// them. Nil where it cannot be told.
func ownFields(live *unstructured.Unstructured, own *metav1.ManagedFieldsEntry) []byte {
	if own == nil {
		return nil
	}
	set, err := setOf(own)
	if err != nil {
		return nil
	}
	raw, err := resource.Canonical(projected(live, set))
	if err != nil {
		return nil
	}
	return bytes.Clone(raw) // without what it was made in
}

// fieldsHash identifies which fields we own, whenever that was.
func fieldsHash(own *metav1.ManagedFieldsEntry) string {
	if own == nil || own.FieldsV1 == nil {
		return ""
	}
	sum := sha256.Sum256(own.FieldsV1.GetRawBytes())
	return hex.EncodeToString(sum[:12])
}
