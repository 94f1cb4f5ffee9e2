// Package reference is the program helm, of the version that the renderer's library
// has, for tests to compare with. Its module is test/reference-helm.
package reference

import (
	"testing"

	"syncd.io/syncd/internal/render/kube/reference"
)

// Program returns the file of the program helm.
func Program(t testing.TB) string {
	t.Helper()
	return reference.Tool{Name: "helm", Module: "reference-helm", Package: "helm.sh/helm/v3/cmd/helm"}.Program(t)
}
