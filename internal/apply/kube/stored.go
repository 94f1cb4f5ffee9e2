package kube

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/resource"
)

// packed is what the server stored of our own fields of an object, small: for as long
// as nobody touches them, a comparison needs no second look at them. Nil where it
// cannot be told.
func packed(live *unstructured.Unstructured) []byte {
	own, err := ownSet(live.GetManagedFields())
	if err != nil {
		return nil
	}
	raw, err := resource.Canonical(projected(live, own))
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil
	}
	_, wrote := w.Write(raw)
	if w.Close() != nil || wrote != nil {
		return nil
	}
	return bytes.Clone(out.Bytes())
}

// unpacked reads packed again; nil where it cannot.
func unpacked(small []byte) map[string]any {
	if small == nil {
		return nil
	}
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(small)))
	if err != nil {
		return nil
	}
	var tree map[string]any
	if json.Unmarshal(raw, &tree) != nil {
		return nil
	}
	return tree
}

// fieldsHash identifies which fields we own, whenever that was.
func fieldsHash(fields []metav1.ManagedFieldsEntry) string {
	own := ownEntry(fields)
	if own == nil || own.FieldsV1 == nil {
		return ""
	}
	sum := sha256.Sum256(own.FieldsV1.GetRawBytes())
	return hex.EncodeToString(sum[:12])
}
