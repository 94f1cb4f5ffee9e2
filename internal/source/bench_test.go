package source_test

import (
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
)

// cpu is the user and system time of this process so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// polls measures one no-change poll.
func polls(b *testing.B, r *source.Repository) {
	b.Helper()
	if _, err := r.Resolve(b.Context()); err != nil {
		b.Fatal(err)
	}
	begin := cpu(b)
	for b.Loop() {
		if _, err := r.Resolve(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-begin).Microseconds())/1000/float64(b.N), "user+sys-ms/op")
}

// BenchmarkPollNoChange holds the bar of 5 ms CPU per poll, on the large repository. The
// HTTPS server is another process, which counts requests and bytes; a local repository
// is read in place.
func BenchmarkPollNoChange(b *testing.B) {
	g := large(b)
	b.Run("https", func(b *testing.B) {
		far := elsewhere(b, g)
		r := follow(b, far.url, func(o *source.Options) { o.Auth.CAFile = far.ca })
		if _, err := r.Resolve(b.Context()); err != nil {
			b.Fatal(err)
		}
		requests, bytes := far.counts(b)
		polls(b, r)
		after, more := far.counts(b)
		b.ReportMetric(float64(after-requests)/float64(b.N+1), "requests/op")
		b.ReportMetric(float64(more-bytes)/float64(b.N+1), "bytes/op")
	})
	b.Run("local", func(b *testing.B) { polls(b, follow(b, g.dir)) })
}

// BenchmarkLoad is a fetch of a small commit: child, clone, snapshot.
func BenchmarkLoad(b *testing.B) {
	g := newRepo(b)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		for _, file := range []string{"compose.yaml", "app.env", "nginx.conf", "README.md"} {
			g.write(name+"/"+file, random(2000))
		}
	}
	head := g.commit("x")
	for name, url := range map[string]string{"local": g.dir, "http": serve(b, g).URL} {
		r := follow(b, url, plain)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := r.Load(b.Context(), head); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := r.Collect(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

// BenchmarkPollSigned is a poll where signatures are asked for, and nothing is new.
func BenchmarkPollSigned(b *testing.B) {
	s := newSigners(b)
	s.by("ann", "a")
	polls(b, s.follow(s.dir))
}
