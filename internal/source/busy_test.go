package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// clock is a time that a test moves.
type clock struct{ now atomic.Int64 }

func (c *clock) time() time.Time          { return time.Unix(c.now.Load(), 0) }
func (c *clock) pass(d time.Duration)     { c.now.Add(int64(d / time.Second)) }
func (c *clock) option(o *source.Options) { o.Now = c.time }

// packs counts what the wrapped server is asked for beside its refs; hold, where
// it is set, is called for each with the request.
func packs(count *atomic.Int64, hold func(request string)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				count.Add(1)
				body, err := io.ReadAll(r.Body)
				if err != nil {
					return // the child has gone
				}
				if hold != nil {
					hold(string(body))
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
			}
			h.ServeHTTP(w, r)
		})
	}
}

// poll is what the agent does every few seconds.
func poll(t *testing.T, r *source.Repository) error {
	t.Helper()
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	return err
}

// TestARefusedCommitIsFetchedOnce: no retry storm. It is fetched again when
// something is different, when somebody asks, and once in a while.
func TestARefusedCommitIsFetchedOnce(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	g.write("b", "2")
	g.commit("one file too many")
	var fetches atomic.Int64
	var now clock
	s := start(t, true, g, guarded, packs(&fetches, nil))
	var ca string
	r := follow(t, s.URL, private(t, s, token), now.option, func(o *source.Options) { o.Limits.Files, ca = 1, o.Auth.CAFile })
	refused := func(what string, more int64) {
		t.Helper()
		before := fetches.Load()
		first := poll(t, r)
		wantFault(t, first, fault.Rejected, "more than 1 files", "limits.files")
		if again := poll(t, r); again == nil || again.Error() != first.Error() || fault.Advice(again) != fault.Advice(first) {
			t.Errorf("%s: at first %v, then %v", what, first, again)
		}
		if n := fetches.Load() - before; n != more {
			t.Errorf("%s: two polls cost %d fetches, want %d", what, n, more)
		}
	}
	refused("a new commit", 1)
	now.pass(9 * time.Minute)
	refused("soon after", 0)
	now.pass(time.Minute)
	refused("ten minutes later", 1)
	r.Forget()
	refused("when somebody asks", 1)
	g.write("c", "3")
	g.commit("worse")
	refused("another commit", 1)
	if err := os.WriteFile(ca, append(certificate(s), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("other settings", 1)
	g.git("rm", "-q", "b", "c")
	g.commit("mended")
	if err := poll(t, r); err != nil {
		t.Error(err)
	}
}

// TestTroubleIsNotRemembered: only what the commit is to blame for.
func TestTroubleIsNotRemembered(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	var down atomic.Bool
	down.Store(true)
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() && strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	r := follow(t, s.URL, plain)
	wantFault(t, poll(t, r), fault.Unreachable, "", "")
	down.Store(false)
	if err := poll(t, r); err != nil {
		t.Error(err)
	}
}

// TestNobodyWaitsForSomebodyElsesFetch: what people ask for, which may take
// minutes, keeps neither the agent nor the tidying up waiting.
func TestNobodyWaitsForSomebodyElsesFetch(t *testing.T) {
	g := newRepo(t)
	g.git("config", "uploadpack.allowReachableSHA1InWant", "true")
	g.commit("main")
	g.git("checkout", "-q", "-b", "huge")
	huge := g.commit("huge")
	g.git("checkout", "-q", "-b", "other")
	other := g.commit("other")
	g.git("checkout", "-q", "main")
	asked, release := make(chan struct{}, 8), make(chan struct{})
	var fetches atomic.Int64
	s := serve(t, g, packs(&fetches, func(request string) {
		if strings.Contains(request, huge) {
			asked <- struct{}{}
			<-release
		}
	}))
	var dir string
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := r.Load(ctx, huge)
		done <- err
	}()
	select {
	case <-asked:
	case <-ctx.Done():
		t.Fatal("the huge commit is not fetched")
	}
	main, err := r.Resolve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Load(ctx, main); err != nil {
		t.Errorf("what is followed: %v", err)
	}
	if err := r.Collect(main); err != nil {
		t.Error(err)
	}
	if !slices.ContainsFunc(names(t, dir), func(name string) bool { return strings.HasPrefix(name, ".fetch-") }) {
		t.Errorf("the fetch under way has lost its directory: %q", names(t, dir))
	}
	impatient, give := context.WithCancelCause(ctx)
	gone := errors.New("gone home")
	waiting := make(chan error, 2)
	for _, commit := range []string{huge, other} { // the same one, and one that waits for its turn
		go func() {
			_, err := r.Load(impatient, commit)
			waiting <- err
		}()
	}
	give(gone)
	for range 2 {
		if err := <-waiting; !errors.Is(err, gone) {
			t.Errorf("who gave up got %v", err)
		}
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := r.Load(ctx, other); err != nil {
		t.Error(err)
	}
}

// TestASnapshotInUseStays however often the repository moves on meanwhile, and
// for some minutes after: whoever holds its path alone may still read.
func TestASnapshotInUseStays(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	g.commit("first")
	var now clock
	var dir string
	r := follow(t, g.dir, now.option, func(o *source.Options) { dir = o.Dir })
	held := load(t, r)
	first := held.Revision.Commit
	moveOn := func() { // as the agent does
		t.Helper()
		now.pass(time.Hour)
		g.commit("next")
		if err := r.Collect(load(t, r).Revision.Commit); err != nil {
			t.Fatal(err)
		}
	}
	moveOn()
	moveOn()
	if _, err := os.ReadFile(filepath.Join(held.Dir, "a")); err != nil {
		t.Errorf("while it is held: %v", err)
	}
	runtime.KeepAlive(held)
	runtime.GC()
	moveOn()
	if slices.Contains(names(t, dir), first) {
		t.Error("a snapshot that nobody uses stays")
	}
	path := load(t, r).Dir // which alone keeps nothing
	last := filepath.Base(filepath.Dir(path))
	now.pass(time.Hour) // followed until now
	runtime.GC()
	for _, after := range []time.Duration{0, 9 * time.Minute} {
		now.pass(after)
		if err := r.Collect(strings.Repeat("0", 40)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadFile(filepath.Join(path, "a")); err != nil {
			t.Errorf("%v after it was left: %v", after, err)
		}
	}
	now.pass(time.Minute)
	if err := r.Collect(strings.Repeat("0", 40)); err != nil || slices.Contains(names(t, dir), last) {
		t.Errorf("ten minutes after: %q are there, %v", names(t, dir), err)
	}
}

// weighed sums up the bytes of all answers.
func weighed(sent *atomic.Int64) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(&scale{w, sent}, r) })
	}
}

// scale is an answer that is weighed.
type scale struct {
	http.ResponseWriter
	sent *atomic.Int64
}

// Write passes bytes on.
func (s *scale) Write(p []byte) (int, error) {
	s.sent.Add(int64(len(p)))
	return s.ResponseWriter.Write(p)
}

// forged answers every request for a pack with another one.
func forged(pack string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				h.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
			_, _ = io.WriteString(w, "00000008NAK\n"+fmt.Sprintf("%04x\x01%s", len(pack)+5, pack)+"0000") // the child may have gone
		})
	}
}
