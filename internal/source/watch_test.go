package source_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
)

// watched counts the looks that a watch asks for.
type watched struct {
	t     *testing.T
	looks chan struct{}
}

func watchOf(t *testing.T, r *source.Repository) watched {
	t.Helper()
	w := watched{t, make(chan struct{}, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	ready := make(chan struct{})
	go func() {
		defer close(ended)
		close(ready)
		r.Watch(ctx, func() { w.looks <- struct{}{} }, func(err error) { t.Error(err) })
	}()
	<-ready
	t.Cleanup(func() { cancel(); <-ended })
	return w
}

// until does something again and again until a look is asked for: the watch may
// not have begun.
func (w watched) until(do func()) {
	w.t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for do(); ; {
		select {
		case <-w.looks:
			return
		case <-tick.C:
			do()
		case <-deadline:
			w.t.Fatal("nobody looks")
		}
	}
}

// soon sees that a look is asked for.
func (w watched) soon(what string) {
	w.t.Helper()
	select {
	case <-w.looks:
	case <-time.After(2 * time.Minute):
		w.t.Fatalf("%s: nobody looks", what)
	}
}

// calm sees that no look is asked for, for as long as one would take.
func (w watched) calm(what string) {
	w.t.Helper()
	select {
	case <-w.looks:
		w.t.Errorf("%s: somebody looks", what)
	case <-time.After(500 * time.Millisecond):
	}
}

// settle waits until what was asked for has been, and counts it.
func (w watched) settle() (looks int) {
	for {
		select {
		case <-w.looks:
			looks++
		case <-time.After(300 * time.Millisecond):
			return looks
		}
	}
}

func TestALocalRepositoryIsWatched(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	w := watchOf(t, follow(t, "file://"+g.dir, func(o *source.Options) { o.Ref.Branch = "feature/x" }))
	w.until(func() { g.commit("another") })
	w.settle()
	g.git("branch", "feature/x")
	w.soon("a branch in a directory of its own")
	w.settle()
	g.git("update-ref", "refs/heads/feature/x", g.git("commit-tree", "-m", "next", "main^{tree}"))
	w.soon("a new commit of it")
	w.settle()
	g.git("pack-refs", "--all")
	w.soon("packed refs")
	w.settle()
	g.write("x", "changed, and not committed")
	g.git("add", "-A")
	w.calm("what is not committed")
}

func TestBundlesAreWatched(t *testing.T) {
	g, _ := history(t, 1)
	in := arrivals(t)
	w := watchOf(t, follow(t, in.url()))
	w.until(func() { in.put("a.bundle", g.bundle("main"), 0) })
	w.settle()
	in.put(".b.bundle", []byte("being copied"), 0)
	w.calm("a file that is nobody's yet")
	if err := os.Rename(filepath.Join(in.dir, ".b.bundle"), filepath.Join(in.dir, "b.bundle")); err != nil {
		t.Fatal(err)
	}
	w.soon("a file that was renamed")
	w.settle()
	if err := os.RemoveAll(in.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(in.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.soon("a directory that was made anew")
	w.settle()
	in.put("a.bundle", g.bundle("main"), 0)
	w.soon("a file in it")
}

// A copy of many pieces is looked at when it is done, and not at each piece.
func TestACopyIsNotLookedAtPieceByPiece(t *testing.T) {
	in := arrivals(t)
	file := filepath.Join(in.dir, "a.bundle")
	in.put("a.bundle", nil, 0)
	w := watchOf(t, follow(t, "bundle://"+file))
	w.until(func() { in.put("a.bundle", nil, 0) })
	w.settle()
	f, err := os.OpenFile(file, os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 1000 {
		if _, err := f.WriteString(strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
	}
	w.soon("a copy that is done")
	if more := w.settle(); more > 20 {
		t.Errorf("1000 pieces were looked at %d times", 1+more)
	}
}
