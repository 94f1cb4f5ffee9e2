package drift_test

import (
	"slices"
	"testing"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

func TestFieldsBesideOursAreToldAndAreNoDrift(t *testing.T) {
	want := resource.Object{Key: resource.Key{Kind: "ConfigMap", Name: "settings"}, Spec: []byte(`{"a":1}`)}
	report := drift.Compare([]resource.Pair{{
		Key: want.Key, Want: &want, Stored: want.Spec, Aside: []string{"data.extra (kubectl-edit)"},
		Live: []resource.Instance{{Spec: want.Spec, Running: true}},
	}}, drift.Options{})
	if !report.InSync() {
		t.Errorf("got %s", report)
	}
	if got := report.Aside(); !slices.Equal(got, []string{"ConfigMap/settings has data.extra (kubectl-edit) beside what is wanted"}) {
		t.Errorf("got %q", got)
	}
}
