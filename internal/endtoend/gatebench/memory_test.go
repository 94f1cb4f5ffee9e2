package gatebench_test

import (
	"fmt"
	"testing"

	"syncd.io/syncd/internal/gate"
)

// BenchmarkGateMemory is the resident set of a gate in tcp mode that holds many
// connections which have been used and are idle. They lead to the container's own
// address: docker-proxy may not have as many descriptors.
func BenchmarkGateMemory(b *testing.B) {
	s := newStage(b)
	g := s.gate("gate", gate.TCP)
	empty := g.resident()
	for _, conns := range []int{2_000, 10_000} {
		b.Run(fmt.Sprintf("idle=%d", conns), func(b *testing.B) {
			conns := min(conns, g.room())
			callers := must1(dialAll(g.own, conns))(b)
			full := g.resident()
			must(b, hangUp(callers))
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(conns), "conns")
			b.ReportMetric(full/(1<<10), "rss_MiB")
			b.ReportMetric(float64(20+conns/32), "bar_MiB") // 20 MiB, and 32 KiB for each
			b.ReportMetric((full-empty)/float64(conns), "rss_KiB/conn")
		})
	}
	b.ReportMetric(empty/(1<<10), "rss_MiB")
}
