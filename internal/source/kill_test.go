package source_test

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fsnotify/fsnotify"

	"syncd.io/syncd/internal/source"
)

// trap lets a certain number of bytes of answers through, closes reached, and waits
// until somebody lets go.
type trap struct {
	left    atomic.Int64
	once    sync.Once
	reached chan struct{}
	release chan struct{}
}

func newTrap(bytes int64) *trap {
	tr := &trap{reached: make(chan struct{}), release: make(chan struct{})}
	tr.left.Store(bytes)
	return tr
}

// traps has the one that is set now; an answer keeps to the one that was set as it
// began.
type traps struct{ now atomic.Pointer[trap] }

// set arms another one.
func (ts *traps) set(bytes int64) *trap {
	tr := newTrap(bytes)
	ts.now.Store(tr)
	return tr
}

// wrap is for a server; each answer is written in small pieces.
func (ts *traps) wrap(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&snare{w, ts.now.Load()}, r) })
}

type snare struct {
	http.ResponseWriter
	trap *trap
}

// Write passes on what there is room for, then waits.
func (s *snare) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		n, err := s.ResponseWriter.Write(p[:min(len(p), 512)])
		written += n
		if err != nil {
			return written, err
		}
		p = p[n:]
		if f, ok := s.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		if s.trap.left.Add(-int64(n)) <= 0 {
			s.trap.once.Do(func() { close(s.trap.reached) })
			<-s.trap.release
		}
	}
	return written, nil
}

// TestFiftyKillsInMidFetch: whenever the child is killed, the next try goes on as if
// nothing had been, with the same cache. Every other one is of the first commit, from
// nothing; the others are of what is new.
func TestFiftyKillsInMidFetch(t *testing.T) {
	if testing.Short() {
		t.Skip("kills fifty children")
	}
	g := newRepo(t)
	g.many(40)
	g.commit("first")
	var ts traps
	open := ts.set(1 << 40)
	s := serve(t, g, ts.wrap)
	whole := int64(0)
	var dir string
	var r *source.Repository
	killed := 0
	for i := range 50 {
		if i%2 == 0 {
			r = follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
		} else {
			g.write("app-000/file-1", random(2000+i))
			g.commit("next")
		}
		commit, err := r.Resolve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if whole == 0 {
			before := open.left.Load()
			if _, err := follow(t, s.URL, plain).Load(t.Context(), commit); err != nil {
				t.Fatal(err)
			}
			whole = before - open.left.Load()
		}
		at := whole * int64(i) / 50 // of all that is answered: refs, and a pack
		if i%2 == 1 {
			at = 1900 * int64(i) / 50
		}
		tr := ts.set(max(at, 1))
		if caught(t, r, commit, tr.reached) {
			killed++
		}
		close(tr.release)
		open = ts.set(1 << 40)
		got := load(t, r)
		checkFiles(t, got)
		if left := names(t, dir); got.Revision.Commit != commit || len(left) > 2 {
			t.Fatalf("%d: got %+v, left %q", i, got.Revision, left)
		}
		if err := r.Collect(commit); err != nil {
			t.Fatal(err)
		}
	}
	if killed < 40 {
		t.Errorf("only %d of 50 were killed in mid-fetch", killed)
	}
}

// caught loads until something happens, and kills the child then; false where the
// load had ended before.
func caught[T any](t *testing.T, r *source.Repository, commit string, happens <-chan T) bool {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := r.Load(context.WithoutCancel(t.Context()), commit)
		done <- err
	}()
	select {
	case <-happens:
		killed := killAny(t)
		err := <-done // none where it was at its end already
		if err != nil && !killed {
			t.Error(err)
		}
		return err != nil
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
		return false
	}
}

// TestKillsWhileItWrites: the child is killed at the first, the second, ... change that
// it makes in the object store or to its own directory.
func TestKillsWhileItWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("kills many children")
	}
	g := newRepo(t)
	g.many(40)
	g.commit("first")
	var dir string
	r := follow(t, serve(t, g).URL, plain, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	killed := 0
	for i := range 24 {
		g.write("app-000/file-1", random(2000+i))
		commit := g.commit("next")
		if _, err := r.Resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if caught(t, r, commit, changes(t, i, filepath.Join(dir, ".objects"), filepath.Join(dir, ".objects/objects/pack"), dir)) {
			killed++
		}
		got := load(t, r)
		checkFiles(t, got)
		if err := r.Collect(commit); err != nil || got.Revision.Commit != commit {
			t.Fatalf("%d: got %+v, %v", i, got.Revision, err)
		}
		(&repo{t, filepath.Join(dir, ".objects")}).git("rev-list", "--objects", "--no-walk", commit)
	}
	if killed < 8 {
		t.Errorf("only %d of 24 were killed while they wrote", killed)
	}
}

// changes tells of the change to one of the directories that comes after so many.
func changes(t *testing.T, after int, dirs ...string) <-chan struct{} {
	t.Helper()
	w, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if err := w.Add(dir); err != nil {
			t.Fatal(err)
		}
	}
	out := make(chan struct{}, 1)
	var all sync.WaitGroup
	all.Go(func() {
		for range w.Events {
			if after--; after == -1 {
				out <- struct{}{}
			}
		}
	})
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	return out
}
