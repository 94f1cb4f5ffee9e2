package helm

import (
	"testing"

	"syncd.io/syncd/internal/fault"
)

// An archive is whatever a server sent: it is rendered or refused, and the same
// bytes come to the same end.
func FuzzArchive(f *testing.F) {
	f.Add(packed(f, map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "a/templates/a.yaml": configMap("{{ .Values.a }}"), "a/values.yaml": "a: b\n"}))
	f.Add(packed(f, map[string]string{"a/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{name: b, version: 1.x}]\n", "a/charts/b/Chart.yaml": "name: b\nversion: 1.0.0\n"}))
	f.Add(packed(f, map[string]string{"a/../../b": "c", "Chart.yaml": "a"}))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := Input{Archive: data, Release: "shop", Namespace: "prod"}
		docs, _, err := Render(t.Context(), in)
		if err != nil && fault.Of(err) != fault.Rejected {
			t.Errorf("%v is %v", err, fault.Of(err))
		}
		again, _, failed := Render(t.Context(), in)
		if (err == nil) != (failed == nil) || len(docs) != len(again) {
			t.Errorf("%d documents and %v, then %d and %v", len(docs), err, len(again), failed)
		}
	})
}
