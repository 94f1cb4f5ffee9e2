package source_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/source"
)

// spares are the snapshots that nobody needs and that the next one is made of.
func spares(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".spare-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// moveOn lets an hour pass in which nobody uses what was loaded, and tidies up.
func moveOn(t *testing.T, r *source.Repository, now *clock, keep string) {
	t.Helper()
	now.pass(time.Hour)
	runtime.GC()
	if err := r.Collect(keep); err != nil {
		t.Fatal(err)
	}
}

// TestAnOldSnapshotIsRenewed: whatever changes between it and the new one, nothing of
// it is left that the new one does not have.
func TestAnOldSnapshotIsRenewed(t *testing.T) {
	changes := []func(g *repo){
		func(g *repo) { g.write("top", "changed") },
		func(g *repo) { g.gone("a") },
		func(g *repo) { g.gone("a"); g.write("a", "a file where a directory was") },
		func(g *repo) { g.gone("a"); g.write("a/b/c", "a directory again") },
		func(g *repo) { link(g, "b", "c/d") },
		func(g *repo) { g.gone("b"); g.write("b/x", "no link any more") },
		func(g *repo) { g.gone("b"); link(g, "c/d", "b") },
		func(g *repo) { g.git("add", "top"); g.git("update-index", "--chmod=+x", "top") },
		func(g *repo) { g.write("huge", strings.Repeat("x", 6<<20)) },
		func(g *repo) { g.write("huge", "short") },
		func(*repo) {},
	}
	g := newRepo(t)
	for _, path := range []string{"a/b/deep", "a/b.c", "a/c", "a-b", "c/d/e", "top"} {
		g.write(path, "this is "+path)
	}
	g.commit("first")
	url := serve(t, g).URL
	var dir string
	var now clock
	r := follow(t, url, plain, now.option, func(o *source.Options) { dir = o.Dir })
	moveOn(t, r, &now, load(t, r).Revision.Commit)
	for i := range 3 * len(changes) {
		changes[(i*5)%len(changes)](g)
		g.git("add", "-A", ":!top")
		g.git("commit", "-q", "--allow-empty", "-a", "-m", fmt.Sprint("change ", i))
		before := spares(t, dir)
		s := load(t, r)
		wantFresh(t, url, s)
		wantNothingElse(t, s)
		if after := spares(t, dir); len(after) != 0 || i > 1 && len(before) != 1 {
			t.Errorf("%d: spare ones before %q, after %q", i, before, after)
		}
		moveOn(t, r, &now, s.Revision.Commit)
	}
}

// gone removes a path from the work tree.
func (r *repo) gone(path string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, path)); err != nil {
		r.t.Fatal(err)
	}
}

func link(g *repo, target, path string) {
	g.t.Helper()
	g.gone(path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(g.dir, path)), 0o755), os.Symlink(target, filepath.Join(g.dir, path))); err != nil {
		g.t.Fatal(err)
	}
}

// wantNothingElse compares what is there with the list.
func wantNothingElse(t *testing.T, s source.Snapshot) {
	t.Helper()
	listed := map[string]bool{}
	for _, f := range s.Files {
		if f.Refused != "" {
			continue
		}
		for p := f.Path; p != "."; p = filepath.Dir(p) {
			listed[p] = true
		}
	}
	err := filepath.WalkDir(s.Dir, func(path string, _ os.DirEntry, err error) error {
		rel, _ := filepath.Rel(s.Dir, path)
		if rel != "." && !listed[rel] {
			t.Errorf("%s is there", rel)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestASpareSnapshotThatIsDamaged is mended as it is taken over.
func TestASpareSnapshotThatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"file gone":        func(d string) error { return os.Remove(filepath.Join(d, "files/a/file")) },
		"file empty":       func(d string) error { return os.Truncate(filepath.Join(d, "files/a/file"), 0) },
		"directory gone":   func(d string) error { return os.RemoveAll(filepath.Join(d, "files/a")) },
		"file a link":      func(d string) error { return relink(filepath.Join(d, "files/a/file")) },
		"files gone":       func(d string) error { return os.RemoveAll(filepath.Join(d, "files")) },
		"manifest gone":    func(d string) error { return os.Remove(filepath.Join(d, "manifest")) },
		"manifest cut":     func(d string) error { return os.Truncate(filepath.Join(d, "manifest"), 100) },
		"all of it gone":   os.RemoveAll,
		"directory a link": func(d string) error { return relink(filepath.Join(d, "files/a")) },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			g.write("a/file", "content")
			g.write("b/file", "content too")
			g.commit("first")
			url := serve(t, g).URL
			var dir string
			var now clock
			r := follow(t, url, plain, now.option, func(o *source.Options) { dir = o.Dir })
			load(t, r)
			g.next("second")
			moveOn(t, r, &now, load(t, r).Revision.Commit)
			if err := damage(spares(t, dir)[0]); err != nil {
				t.Fatal(err)
			}
			g.next("third")
			if name == "directory a link" { // which nothing is written through: the next try does without
				if err := poll(t, r); err == nil {
					t.Error("it was taken over")
				}
			}
			s := load(t, r)
			wantFresh(t, url, s)
			wantNothingElse(t, s)
		})
	}
}

func relink(path string) error {
	return errors.Join(os.RemoveAll(path), os.Symlink("/tmp", path))
}

// TestASpareSnapshotOutlivesAFailedFetch: it is of use later.
func TestASpareSnapshotOutlivesAFailedFetch(t *testing.T) {
	g := newRepo(t)
	g.next("first")
	var down atomic.Bool
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() && strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	var dir string
	var now clock
	r := follow(t, s.URL, plain, now.option, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	g.next("second")
	moveOn(t, r, &now, load(t, r).Revision.Commit)
	g.next("third")
	down.Store(true)
	before := spares(t, dir)
	if err := poll(t, r); err == nil || len(before) != 1 || len(spares(t, dir)) != 1 {
		t.Errorf("%v; spare before %q, after %q", err, before, spares(t, dir))
	}
	down.Store(false)
	wantFresh(t, s.URL, load(t, r))
	if left := spares(t, dir); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}
