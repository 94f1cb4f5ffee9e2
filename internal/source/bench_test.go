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

// polls measures one no-change poll; the test server's CPU counts too where it
// runs in this process.
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

func benchRepo(b *testing.B) *repo {
	b.Helper()
	g := newRepo(b)
	g.commit("x")
	for _, name := range []string{"a", "b", "c", "d"} {
		g.git("branch", name)
	}
	return g
}

// BenchmarkResolveHTTPS holds the bar of 5 ms CPU per poll; it counts the
// server's half of TLS and of starting the git program as well.
func BenchmarkResolveHTTPS(b *testing.B) {
	g := benchRepo(b)
	s := start(b, true, g)
	polls(b, follow(b, s.URL, trusting(b, s)))
}

// BenchmarkResolveLocal reads the ref in place.
func BenchmarkResolveLocal(b *testing.B) {
	polls(b, follow(b, benchRepo(b).dir))
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
