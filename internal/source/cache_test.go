package source_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// cached is a repository over HTTP with a snapshot in its cache.
func cached(t *testing.T) (*repo, *site, *source.Repository, string, source.Snapshot) {
	t.Helper()
	g := newRepo(t)
	g.write("a/b", "content")
	g.write("c", "more")
	g.commit("x")
	s := serve(t, g)
	var dir string
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	return g, s, r, dir, load(t, r)
}

func TestSecondLoadAsksNobody(t *testing.T) {
	_, s, r, dir, first := cached(t)
	before := s.requests.Load()
	again, err := r.Load(t.Context(), first.Revision.Commit)
	if err != nil || again.Dir != first.Dir || files(again) != files(first) {
		t.Errorf("got %+v, %v", again, err)
	}
	later := follow(t, s.URL, plain, func(o *source.Options) { o.Dir = dir })
	if again, err := later.Load(t.Context(), first.Revision.Commit); err != nil || again.Revision != first.Revision {
		t.Errorf("another start: got %+v, %v, want %+v", again.Revision, err, first.Revision)
	}
	if n := s.requests.Load() - before; n != 0 {
		t.Errorf("%d requests for what was there", n)
	}
}

// TestDamagedSnapshotCostsOneFetch covers what a crash, a full disk or a hand
// can do to the cache.
func TestDamagedSnapshotCostsOneFetch(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, dir string) error{
		"file gone":       func(_ *testing.T, d string) error { return os.Remove(filepath.Join(d, "files/a/b")) },
		"file empty":      func(_ *testing.T, d string) error { return os.Truncate(filepath.Join(d, "files/a/b"), 0) },
		"other mode":      func(_ *testing.T, d string) error { return os.Chmod(filepath.Join(d, "files/c"), 0o755) },
		"manifest gone":   func(_ *testing.T, d string) error { return os.Remove(filepath.Join(d, "manifest")) },
		"manifest empty":  func(_ *testing.T, d string) error { return os.Truncate(filepath.Join(d, "manifest"), 0) },
		"manifest cut":    func(_ *testing.T, d string) error { return os.Truncate(filepath.Join(d, "manifest"), 200) },
		"manifest a link": linkManifest,
		"same size": func(_ *testing.T, d string) error {
			return os.WriteFile(filepath.Join(d, "files/c"), []byte("MORE"), 0o644)
		},
		"nothing but name": func(_ *testing.T, d string) error { return emptied(d) },
	} {
		t.Run(name, func(t *testing.T) {
			_, s, _, dir, first := cached(t)
			if err := damage(t, filepath.Join(dir, first.Revision.Commit)); err != nil {
				t.Fatal(err)
			}
			before := s.requests.Load()
			later := follow(t, s.URL, plain, func(o *source.Options) { o.Dir = dir })
			again, err := later.Load(t.Context(), first.Revision.Commit)
			if err != nil {
				t.Fatal(err)
			}
			checkFiles(t, again)
			if data, err := os.ReadFile(filepath.Join(again.Dir, "c")); err != nil || string(data) != "more" {
				t.Errorf("c is %q, %v", data, err)
			}
			if s.requests.Load() == before {
				t.Error("nothing was fetched")
			}
			if err := later.Collect(first.Revision.Commit); err != nil {
				t.Fatal(err)
			}
			if got := names(t, dir); !slices.Equal(got, []string{first.Revision.Commit}) {
				t.Errorf("after Collect: %q", got)
			}
		})
	}
}

func linkManifest(t *testing.T, d string) error {
	t.Helper()
	m := filepath.Join(d, "manifest")
	if err := os.Rename(m, m+".real"); err != nil {
		return err
	}
	return os.Symlink(m+".real", m)
}

func emptied(d string) error {
	if err := os.RemoveAll(d); err != nil {
		return err
	}
	return os.Mkdir(d, 0o755)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if e.Name() != ".objects" && !strings.HasPrefix(e.Name(), ".spare-") { // what the next fetch builds on
			out = append(out, e.Name())
		}
	}
	return out
}

func TestCollectKeepsWhatIsNeededAndWhatIsNotOurs(t *testing.T) {
	g, s, r, dir, first := cached(t)
	g.write("c", "newer")
	g.commit("second")
	second := load(t, r)
	r = follow(t, s.URL, plain, func(o *source.Options) { o.Dir = dir }) // after a start nothing is in use
	for _, name := range []string{".fetch-123", ".broken-" + first.Revision.Commit, "notes", "deadbeef"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "deep"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Collect(second.Revision.Commit, strings.Repeat("0", 40)); err != nil {
		t.Fatal(err)
	}
	want := []string{second.Revision.Commit, "deadbeef", "notes"}
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left %q, want %q", got, want)
	}
	if again := load(t, r); again.Dir != second.Dir {
		t.Errorf("got %s", again.Dir)
	}
	if err := follow(t, g.dir).Collect(); err != nil {
		t.Errorf("without a cache directory: %v", err)
	}
}

// TestKilledFetch kills the child with -9 in mid-fetch, and then succeeds.
func TestKilledFetch(t *testing.T) {
	g := newRepo(t)
	g.write("a", "x")
	head := g.commit("x")
	asked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				once.Do(func() { close(asked) })
				<-release
			}
			h.ServeHTTP(w, r)
		})
	})
	var dir string
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	done := make(chan error, 1)
	go func() {
		_, err := r.Load(context.WithoutCancel(t.Context()), head)
		done <- err
	}()
	select {
	case <-asked:
	case <-time.After(2 * time.Minute):
		t.Fatal("the child did not ask for a pack")
	}
	kill(t)
	select {
	case err := <-done:
		wantFault(t, err, fault.Unreachable, "killed from outside", "dmesg")
	case <-time.After(2 * time.Minute):
		t.Fatal("the load did not end")
	}
	close(release)
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if s := load(t, r); files(s) != "a\n" {
		t.Errorf("got %q", files(s))
	}
}

// kill ends the child of this very process that fetches.
func kill(t *testing.T) {
	t.Helper()
	if !killAny(t) {
		t.Fatal("no child is fetching")
	}
}

// killAny does so where there is one.
func killAny(t *testing.T) bool {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range tasks {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // a thread that has ended
		}
		for _, field := range strings.Fields(string(data)) {
			line, err := os.ReadFile("/proc/" + field + "/cmdline")
			if err != nil || !strings.Contains(string(line), "\x00fetch\x00") {
				continue
			}
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return true
		}
	}
	return false
}

func TestFullOrMissingDisk(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := follow(t, g.dir, func(o *source.Options) { o.Dir = filepath.Join(blocked, "cache") })
	_, err := r.Load(t.Context(), head)
	wantFault(t, err, fault.Unreachable, "make the cache directory", "")
	full := t.TempDir()
	if err := syscall.Mount("tmpfs", full, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no file system can be mounted here, so none can be filled: %v", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(full, 0); err != nil {
			t.Error(err)
		}
	})
	g.write("big", random(1<<20))
	head = g.commit("big")
	for _, url := range []string{g.dir, serve(t, g).URL} {
		r = follow(t, url, plain, func(o *source.Options) { o.Dir = filepath.Join(full, "cache") })
		_, err = r.Load(t.Context(), head)
		wantFault(t, err, fault.Unreachable, "no space left", "df -h")
	}
}

func TestLoadWantsAFullCommit(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	for _, name := range []string{"", "main", "../../etc", strings.Repeat("G", 40), strings.Repeat("a", 39)} {
		_, err := follow(t, g.dir).Load(t.Context(), name)
		wantFault(t, err, fault.Rejected, "not a full object name", "")
	}
	_, err := follow(t, g.dir).Load(t.Context(), strings.Repeat("a", 40))
	wantFault(t, err, fault.Unreachable, "object not found", "git fsck")
}
