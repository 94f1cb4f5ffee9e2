package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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

// race has the git program and us fetch the same commits, by turns.
type race struct {
	server        *repo
	clone         *repo // git's
	ours          *source.Repository
	now           clock
	cost          *costs
	n             int
	git, checkout time.Duration
	gitCPU, own   time.Duration
	memory        int64
}

// BenchmarkFetchOneCommitLarge fetches a commit of one file in ten thousand, by turns
// with the git program, which does so into a shallow clone and, where it says
// checkout, brings its files up to it.
func BenchmarkFetchOneCommitLarge(b *testing.B) {
	g := large(b)
	s := serve(b, g)
	c := &race{server: g, clone: &repo{b, filepath.Join(b.TempDir(), "clone")}}
	(&repo{b, b.TempDir()}).git("clone", "-q", "--depth", "1", s.URL, c.clone.dir)
	c.ours = follow(b, s.URL, plain, c.now.option)
	load(b, c.ours)
	c.theirs(b)
	c.tidy(b, load(b, c.ours)) // from here on there is an old snapshot to renew
	c.cost = watch(b)
	c.n, c.git, c.checkout, c.gitCPU, c.memory = 1, 0, 0, 0, 0
	for b.Loop() {
		b.StopTimer()
		commit := c.theirs(b)
		before := cpu(b)
		b.StartTimer()
		got := load(b, c.ours)
		b.StopTimer()
		c.own += cpu(b) - before
		c.cost.take(b)
		if got.Revision.Commit != commit || len(got.Files) != largeApps*largeFiles {
			b.Fatalf("got %+v with %d files", got.Revision, len(got.Files))
		}
		c.tidy(b, got)
		b.StartTimer()
	}
	c.report(b)
}

// theirs makes a commit, and has git fetch it.
func (c *race) theirs(b *testing.B) string {
	b.Helper()
	commit := c.server.more(c.n)
	c.n++
	begin := time.Now()
	ended := measured(b, c.clone.dir, "fetch", "-q", "--depth", "1", "origin", "main")
	c.git += time.Since(begin)
	c.memory, c.gitCPU = max(c.memory, maxRSS(ended)), c.gitCPU+ended.UserTime()+ended.SystemTime()
	begin = time.Now()
	c.clone.git("checkout", "-q", "--detach", "FETCH_HEAD")
	c.checkout += time.Since(begin)
	return commit
}

// tidy is what the agent does at a time when nobody uses the snapshots before.
func (c *race) tidy(b *testing.B, last source.Snapshot) {
	b.Helper()
	c.now.pass(time.Hour)
	runtime.GC()
	if err := c.ours.Collect(last.Revision.Commit); err != nil {
		b.Fatal(err)
	}
}

func (c *race) report(b *testing.B) {
	b.Helper()
	n := float64(c.n - 1)
	b.ReportMetric(c.cost.memory, "child-peak-MiB")
	b.ReportMetric(float64(c.cost.cpu.Milliseconds())/n, "child-cpu-ms/op")
	b.ReportMetric(float64(c.own.Milliseconds())/n, "agent-and-server-cpu-ms/op")
	b.ReportMetric(float64(c.memory)/1024, "git-peak-MiB")
	b.ReportMetric(float64(c.gitCPU.Milliseconds())/n, "git-cpu-ms/op")
	b.ReportMetric(float64(c.git.Nanoseconds())/n, "git-ns/op")
	b.ReportMetric(float64(c.checkout.Nanoseconds())/n, "git-checkout-ns/op")
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

// BenchmarkRelateLarge asks, with nothing there, whether the newest of twenty thousand
// commits descends from the first: of a server that can leave out files, and of one
// that sends half a gigabyte of them.
func BenchmarkRelateLarge(b *testing.B) {
	for _, filters := range []bool{true, false} {
		b.Run("filters="+strconv.FormatBool(filters), func(b *testing.B) {
			g := large(b)
			g.git("config", "uploadpack.allowFilter", strconv.FormatBool(filters))
			g.git("config", "uploadpack.allowAnySHA1InWant", "true")
			relateLarge(b, g)
		})
	}
}

func relateLarge(b *testing.B, g *repo) {
	b.Helper()
	s := serve(b, g)
	first, last := g.git("rev-list", "--max-parents=0", "main"), g.git("rev-parse", "main")
	cost, n := watch(b), 0
	for b.Loop() {
		n++
		r := follow(b, s.URL, plain)
		if _, err := r.Resolve(b.Context()); err != nil {
			b.Fatal(err)
		}
		if got, err := r.Relate(b.Context(), first, last); err != nil || got != source.Ahead {
			b.Fatal(got, err)
		}
		cost.take(b)
	}
	b.ReportMetric(cost.memory, "child-peak-MiB")
	b.ReportMetric(float64(cost.cpu.Milliseconds())/float64(n), "child-cpu-ms/op")
}
