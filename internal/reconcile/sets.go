package reconcile

import (
	"slices"

	"syncd.io/syncd/internal/state"
)

// setsOf returns every set that the record could put: the good one, the attempt
// and the past ones.
func setsOf(rec state.Record) []state.Set {
	var out []state.Set
	if rec.Good != nil {
		out = append(out, *rec.Good)
	}
	if rec.Attempt != nil {
		out = append(out, rec.Attempt.Set)
	}
	return append(out, rec.Past...)
}

// mountsOf returns the hashes of all files that the app's containers may mount,
// those of a failed set included that stays for inspection.
func mountsOf(rec state.Record) []string {
	out := slices.Clone(rec.Remains)
	for _, set := range setsOf(rec) {
		out = append(out, set.Mounts...)
	}
	return out
}
