package docker

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fifty puts 50 containers (created, not started: the cost is the same, the
// start of the benchmark is not) and returns what is wanted.
func fifty(f *fixture) []resource.Object {
	image := dockertest.Image(f, "", imageLines...)
	want := []resource.Object{f.network("front", nil), f.network("back", nil), f.volume("data", nil)}
	for _, o := range want {
		f.put(o)
	}
	for i := 1; i <= 50; i++ {
		o := f.container(image, "web", i, func(c *spec.Container) {
			c.Environment = map[string]string{"A": "1", "B": "2", "DATABASE_URL": "postgres://db/x", "N": strconv.Itoa(i)}
			c.Labels = map[string]string{"a": "b"}
			c.Mounts = []spec.Mount{{Type: "volume", Source: f.project + "_data", Target: "/data"}}
			c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front", Aliases: []string{"web"}}, {Network: "back", Name: f.project + "_back", Aliases: []string{"web"}}}
		})
		c, err := f.target.compare(f.ctx, o)
		if err != nil {
			f.Fatal(err)
		}
		s, err := f.target.look(f.ctx)
		if err != nil {
			f.Fatal(err)
		}
		form, err := f.target.prepare(f.ctx, s, c, o)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := f.target.make(f.ctx, form, c.want, c.want.Name); err != nil {
			f.Fatal(err)
		}
		want = append(want, o)
	}
	return want
}

// BenchmarkObserve50: the bar is 30 ms of CPU per full observation.
func BenchmarkObserve50(b *testing.B) {
	f := newFixture(b)
	want := fifty(f)
	owned := apply.Owned{App: f.project}
	before, calls := cpu(b), f.engine.Calls()
	b.ResetTimer()
	for b.Loop() {
		if _, err := f.target.Observe(f.ctx, want, owned); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
	b.ReportMetric(float64(f.engine.Calls()-calls)/float64(b.N), "calls/op")
}
