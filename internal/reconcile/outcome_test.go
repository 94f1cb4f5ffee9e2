package reconcile_test

import (
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// The exit codes are a promise: of several apps, the gravest counts.
func TestGravestOutcomeCounts(t *testing.T) {
	order := [][]reconcile.Outcome{ // from the gravest
		{reconcile.Halted},
		{reconcile.Rejected, reconcile.Superseded, reconcile.Unreachable},
		{reconcile.RolledBack, reconcile.Held},
		{reconcile.Blocked, reconcile.Degraded, reconcile.Pending, reconcile.Paused},
		{reconcile.Unchanged, reconcile.Applied},
	}
	codes := []int{4, 1, 3, 5, 0}
	of := func(outcomes ...reconcile.Outcome) (results []reconcile.Result) {
		for _, o := range outcomes {
			results = append(results, reconcile.Result{Outcome: o})
		}
		return results
	}
	for i, graver := range order {
		for _, a := range graver {
			if got := a.ExitCode(); got != codes[i] {
				t.Errorf("%s exits with %d, want %d", a, got, codes[i])
			}
			for _, lighter := range order[i:] {
				for _, b := range lighter {
					if got := reconcile.Gravest(of(b, a, b)); got != codes[i] {
						t.Errorf("%s beside %s exits with %d, want %d", a, b, got, codes[i])
					}
				}
			}
		}
	}
	if got := reconcile.Gravest(nil); got != 0 {
		t.Errorf("no app at all exits with %d", got)
	}
}
