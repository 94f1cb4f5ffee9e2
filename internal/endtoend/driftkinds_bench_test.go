package endtoend_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// BenchmarkEachKindOfDrift is, for each kind, the time from the end of the client's call
// until it is on record: at the median, and at worst. -benchtime 50x makes it fifty
// times.
func BenchmarkEachKindOfDrift(b *testing.B) {
	h := newHost(b)
	h.write(".syncd.yaml", "rollout: {soak: 200ms, timeout: 20s}\n"+measured)
	h.deploy(strings.ReplaceAll(handled, "    PROBE\n", "")) // probes cost more than all that is measured
	a, stop := h.run()
	defer stop()
	h.awaitOutcome(0, reconcile.Applied)
	for _, d := range deeds() {
		if d.slow {
			continue
		}
		b.Run(d.name, func(b *testing.B) {
			h.t = b
			var took []time.Duration
			for b.Loop() {
				took = append(took, h.seen(a, d))
				_, err := a.Act(b.Context(), "retry", reconcile.ActRequest{App: h.project, Who: "ada"}, nil) // it is no fight
				h.must(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
		})
		h.t = b
	}
}

// seen does something, and returns how long it took until that was on record, when it is
// over.
func (h *host) seen(a *reconcile.Agent, d deed) time.Duration {
	h.t.Helper()
	known := len(h.drifts(a))
	h.does(d.do)
	begun := time.Now()
	for len(h.drifts(a)) == known {
		time.Sleep(time.Millisecond) //nolint:forbidigo // what is measured is a time
	}
	took := time.Since(begun)
	if d.undo != nil {
		h.does(d.undo)
	}
	dockertest.Eventually(h.t, "its end", func() bool {
		all := h.drifts(a)
		return all[len(all)-1].Outcome == "resolved"
	})
	return took
}

// BenchmarkIdleCPU is what the real agent and its children need for a minute in which
// nothing happens, with 50 services, in percent of a core. -benchtime 5x is five minutes.
func BenchmarkIdleCPU(b *testing.B) {
	h := newHost(b)
	h.deploy(fifty())
	url, ca, polls := h.gitServer(b)
	p := h.runProcess("  url: " + url + "\n  auth: {caFile: " + ca + "}\n")
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for first := true; first || !h.synced(); first = false {
		<-tick.C // what the deploy needed is over in the meantime
	}
	asked := polls.Load()
	before, err := p.spent()
	h.must(err)
	begun := time.Now()
	for b.Loop() {
		<-tick.C
	}
	lasted := time.Since(begun)
	after, err := p.spent()
	h.must(err)
	b.ReportMetric(100*float64(after-before)/float64(lasted), "cpu-percent")
	b.ReportMetric(float64(polls.Load()-asked)/float64(b.N), "polls/op")
}
