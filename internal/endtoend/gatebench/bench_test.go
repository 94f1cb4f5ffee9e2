package gatebench_test

import (
	"fmt"
	"testing"
	"time"

	"syncd.io/syncd/internal/gate"
)

// How often and how long each way is gone in turn: shortly, so that those of one
// turn meet the same machine. One iteration of a benchmark is all of it.
const (
	turns = 21
	turn  = 250 * time.Millisecond
)

// way is one that leads to the backend.
type way struct {
	name string
	*actor
}

// course is a gate and what it is measured against.
type course struct {
	rival string
	ways  []way // the bare port, the gate, the rival
}

// courses returns what is measured in each mode.
func courses(b *testing.B) map[gate.Mode]course {
	b.Helper()
	s := newStage(b)
	bare := way{"bare", s.backend}
	return map[gate.Mode]course{
		gate.TCP:  {"haproxy", []way{bare, {"gate", s.gate("gate-tcp", gate.TCP)}, {"haproxy", s.haproxy()}}},
		gate.HTTP: {"nginx", []way{bare, {"gate", s.gate("gate-http", gate.HTTP)}, {"nginx", s.nginx()}}},
	}
}

// figures are a course's, by way and name.
type figures map[string]map[string]rounds

func (f figures) add(way, name string, figure float64) {
	if f[way] == nil {
		f[way] = map[string]rounds{}
	}
	f[way][name] = append(f[way][name], figure)
}

// run goes each way in turn, another one first each time. prepare is called for
// each turn and returns how a way is gone in it.
func (c course) run(b *testing.B, prepare func() func(way) sample) figures {
	b.Helper()
	f := figures{}
	spent, asked := map[string]time.Duration{}, map[string]int{}
	for n := range turns {
		once := prepare()
		for i := range c.ways {
			w := c.ways[(n+i)%len(c.ways)]
			before := w.cpu()
			s := once(w)
			spent[w.name] += w.cpu() - before
			asked[w.name] += len(s.took)
			f.add(w.name, "req/s", s.rate())
			f.add(w.name, "p50_ms", s.quantile(0.5))
			f.add(w.name, "p99_ms", s.quantile(0.99))
		}
	}
	for way := range spent { // ticks are too coarse for one turn
		f.add(way, "cpu_us/req", float64(spent[way].Microseconds())/float64(asked[way]))
	}
	return f
}

// report reports the medians of each way.
func (f figures) report(b *testing.B) {
	b.Helper()
	b.ReportMetric(0, "ns/op") // says nothing here
	for way, named := range f {
		for name, r := range named {
			b.ReportMetric(median(r), way+"_"+name)
		}
	}
}

// ratio is the gate's rate to another's.
func (f figures) ratio(b *testing.B, other string) {
	b.Helper()
	b.ReportMetric(f["gate"]["req/s"].paired(f[other]["req/s"], func(mine, others float64) float64 { return mine / others }), "ratio_vs_"+other)
}

// added is what a way adds to the bare port's median latency.
func (f figures) added(b *testing.B, way, name string) {
	b.Helper()
	b.ReportMetric(f[way]["p50_ms"].paired(f["bare"]["p50_ms"], func(mine, bare float64) float64 { return mine - bare }), name)
}

// BenchmarkGate is how much a gate carries, through connections that ask again
// as soon as they are answered, and how long an answer takes then; and what it
// adds to each where requests come at a steady rate, half of what it carries.
func BenchmarkGate(b *testing.B) {
	all := courses(b)
	for _, mode := range []gate.Mode{gate.TCP, gate.HTTP} {
		c := all[mode]
		for _, conns := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/conns=%d", mode, conns), func(b *testing.B) { c.atFullLoad(b, conns) })
		}
		b.Run(fmt.Sprintf("%s/half-load", mode), c.atHalfLoad)
	}
}

func (c course) atFullLoad(b *testing.B, conns int) {
	f := c.run(b, func() func(way) sample {
		return func(w way) sample { return must1(closedLoop(w.at, conns, turn))(b) }
	})
	f.report(b)
	f.ratio(b, "bare")
	f.ratio(b, c.rival)
}

// atHalfLoad measures what the gate carries anew for each turn: a machine that
// others use does not always have as much to give.
func (c course) atHalfLoad(b *testing.B) {
	f := c.run(b, func() func(way) sample {
		full := must1(closedLoop(c.ways[1].at, openConns, turn))(b).rate()
		return func(w way) sample { return must1(openLoop(w.at, full/2, turn))(b) }
	})
	f.report(b)
	f.added(b, "gate", "added_p50_ms")
	f.added(b, c.rival, "added_p50_ms_"+c.rival)
}

// must1 fails the benchmark where there is an error.
func must1[T any](value T, err error) func(*testing.B) T {
	return func(b *testing.B) T {
		b.Helper()
		must(b, err)
		return value
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
