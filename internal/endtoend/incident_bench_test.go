package endtoend_test

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// BenchmarkDriftToReport is the time from the end of a client's call that changes a
// container until that is on record, among fifty containers: at the median, and at the
// worst but one in a hundred.
func BenchmarkDriftToReport(b *testing.B) {
	h := newHost(b)
	h.deploy(fifty())
	a, stop := h.run()
	defer stop()
	h.awaitOutcome(0, reconcile.Applied)
	id := h.one("s7").ID
	var took []time.Duration
	for b.Loop() {
		known := len(h.drifts(a))
		_, err := h.api.ContainerUpdate(b.Context(), id, container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}})
		h.must(err)
		begun := time.Now()
		for len(h.drifts(a)) == known {
			if time.Since(begun) > dockertest.Limit {
				b.Fatalf("nothing is on record after %s", dockertest.Limit)
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // what is measured is a time
		}
		took = append(took, time.Since(begun))
		dockertest.Eventually(b, "the repair", func() bool { return len(h.drifts(a)) == known+2 })
		_, err = a.Act(b.Context(), "retry", reconcile.ActRequest{App: h.project, Who: "ada"}, nil) // it is no fight
		h.must(err)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
