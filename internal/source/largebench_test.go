package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
)

// costs are sums and peaks of what children needed.
type costs struct {
	path   string
	memory float64 // MiB, the most of one child
	cpu    time.Duration
}

// watch has children note what they need.
func watch(b *testing.B) *costs {
	b.Helper()
	c := &costs{path: childPath + ".peak"}
	if err := os.WriteFile(c.path, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.Remove(c.path); err != nil {
			b.Error(err)
		}
	})
	return c
}

// take adds what the last child needed.
func (c *costs) take(b *testing.B) {
	b.Helper()
	data, err := os.ReadFile(c.path)
	if err != nil {
		b.Fatal(err)
	}
	var kib, micros int64
	if _, err := fmt.Sscan(string(data), &kib, &micros); err != nil {
		b.Fatal(err)
	}
	c.memory = max(c.memory, float64(kib)/1024)
	c.cpu += time.Duration(micros) * time.Microsecond
}

// BenchmarkFirstCloneLarge fetches the large repository's tip into nothing.
func BenchmarkFirstCloneLarge(b *testing.B) {
	g := large(b)
	s := serve(b, g)
	cost, n := watch(b), 0
	for b.Loop() {
		n++
		r := follow(b, s.URL, plain)
		if got := load(b, r); len(got.Files) != largeApps*largeFiles {
			b.Fatalf("%d files", len(got.Files))
		}
		cost.take(b)
	}
	b.ReportMetric(cost.memory, "child-peak-MiB")
	b.ReportMetric(float64(cost.cpu.Milliseconds())/float64(n), "child-cpu-ms/op")
	b.ReportMetric(clone(b, s).Seconds()*1e9, "git-ns/op")
}

// clone is how long the git program takes for the same: the commit, and its files.
func clone(b *testing.B, s *site) time.Duration {
	b.Helper()
	begin := time.Now()
	(&repo{b, b.TempDir()}).git("clone", "-q", "--depth", "1", "--single-branch", s.URL, "clone")
	return time.Since(begin)
}

// BenchmarkFetchOneCommitLarge fetches a commit of one file in ten thousand, by turns
// with the git program, which does so into a shallow clone and, where it says
// checkout, brings its files up to it.
func BenchmarkFetchOneCommitLarge(b *testing.B) {
	g := large(b)
	s := serve(b, g)
	other := &repo{b, filepath.Join(b.TempDir(), "clone")}
	(&repo{b, b.TempDir()}).git("clone", "-q", "--depth", "1", s.URL, other.dir)
	var now clock
	r := follow(b, s.URL, plain, now.option)
	last := load(b, r)
	cost := watch(b)
	var git, checkout, gitCPU, own time.Duration
	var memory int64
	n := 0
	for b.Loop() {
		b.StopTimer()
		commit := g.more(n)
		n++
		begin := time.Now()
		ended := measured(b, other.dir, "fetch", "-q", "--depth", "1", "origin", "main")
		git += time.Since(begin)
		memory, gitCPU = max(memory, maxRSS(ended)), gitCPU+ended.UserTime()+ended.SystemTime()
		begin = time.Now()
		other.git("checkout", "-q", "--detach", "FETCH_HEAD")
		checkout += time.Since(begin)
		before := cpu(b)
		b.StartTimer()
		next := load(b, r)
		b.StopTimer()
		own += cpu(b) - before
		if next.Revision.Commit != commit || len(next.Files) != len(last.Files) {
			b.Fatalf("got %+v with %d files", next.Revision, len(next.Files))
		}
		cost.take(b)
		last = source.Snapshot{Files: next.Files}
		now.pass(time.Hour)
		runtime.GC()
		if err := r.Collect(commit); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(cost.memory, "child-peak-MiB")
	b.ReportMetric(float64(cost.cpu.Milliseconds())/float64(n), "child-cpu-ms/op")
	b.ReportMetric(float64(own.Milliseconds())/float64(n), "agent-and-server-cpu-ms/op")
	b.ReportMetric(float64(gitCPU.Milliseconds())/float64(n), "git-cpu-ms/op")
	b.ReportMetric(float64(memory)/1024, "git-peak-MiB")
	b.ReportMetric(float64(git.Nanoseconds())/float64(n), "git-ns/op")
	b.ReportMetric(float64(checkout.Nanoseconds())/float64(n), "git-checkout-ns/op")
}

// measured runs git to its end.
func measured(b *testing.B, dir string, args ...string) *os.ProcessState {
	b.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return cmd.ProcessState
}
