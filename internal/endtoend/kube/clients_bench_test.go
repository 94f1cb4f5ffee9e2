package kube_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// BenchmarkDriftToReport is the time from the end of a client's call that changes an
// object until that is on record, for each kind of client: at the median, and at the
// worst. -benchtime 50x makes fifty of each.
func BenchmarkDriftToReport(b *testing.B) {
	p := placeOn(b, kubetest.Shared(b))
	p.settings("rollout: {soak: 0s, timeout: 60s}\n")
	p.deploy(strings.ReplaceAll(clientApp, "APP", shop))
	a, stop := p.run()
	defer stop()
	p.awaitOutcome(0, reconcile.Applied)
	var all []time.Duration
	for _, kind := range clients() {
		b.Run(strings.ReplaceAll(kind.name, " ", "-"), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				took = append(took, p.reportedAfter(a, kind))
			}
			spread(b, took)
			all = append(all, took...)
		})
	}
	slices.Sort(all)
	b.Logf("all %d: p50 %s, p99 %s, worst %s", len(all), all[len(all)/2], all[len(all)*99/100], all[len(all)-1])
}

// reportedAfter makes a kind of drift and awaits its report, and then its repair.
func (p *place) reportedAfter(a *reconcile.Agent, kind client) time.Duration {
	p.t.Helper()
	_, err := a.Act(p.t.Context(), "retry", reconcile.ActRequest{App: shop, Who: "ada"}, nil) // it is no fight
	p.must(err)
	last := p.newest(a)
	kind.do(p, shop)
	begun := time.Now()
	for !p.says(a, last, "opened") {
		if time.Since(begun) > patience {
			p.t.Fatalf("%s is not reported\n%s", kind.name, p.story())
		}
		time.Sleep(time.Millisecond) //nolint:forbidigo // what is measured is a time
	}
	took := time.Since(begun)
	p.eventually(kind.name+" is repaired", func() bool { return p.says(a, last, "resolved") })
	return took
}

// newest is the ID of the newest line of history.
func (p *place) newest(a *reconcile.Agent) uint64 {
	p.t.Helper()
	lines, err := a.History(p.t.Context(), shop, 1)
	p.must(err)
	return lines[0].ID
}

// says tells whether a line about drift with this outcome came after the one that was
// the last.
func (p *place) says(a *reconcile.Agent, last uint64, outcome string) bool {
	p.t.Helper()
	const few = 6
	lines, err := a.History(p.t.Context(), shop, few)
	p.must(err)
	return slices.ContainsFunc(lines, func(e state.Entry) bool { return e.ID > last && e.Kind == "drift" && e.Outcome == outcome })
}

// spread reports the median and the worst.
func spread(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
}
