package source_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// many writes files of two kilobytes that do not compress.
func (r *repo) many(count int) {
	r.t.Helper()
	text := random(count + 2000)
	for i := range count {
		r.write(fmt.Sprintf("app-%03d/file-%d", i/4, i), text[i:i+2000])
	}
}

// far runs a test against a server over HTTP and over SSH; sent counts the bytes that
// the one over HTTP answers.
func far(t *testing.T, f func(t *testing.T, g *repo, r *source.Repository, sent *atomic.Int64)) {
	t.Helper()
	t.Run("http", func(t *testing.T) {
		g := newRepo(t)
		var sent atomic.Int64
		f(t, g, follow(t, serve(t, g, weighed(&sent)).URL, plain), &sent)
	})
	t.Run("ssh", func(t *testing.T) {
		g, s := newRepo(t), serveSSH(t)
		f(t, g, follow(t, s.url(g), s.login(t, s.client, s.host.PublicKey(), "")), new(atomic.Int64))
	})
}

// TestAChangeCostsWhatIsNew: one commit of many files is fetched once, the next ones
// cost what they changed, however the branch came to them.
func TestAChangeCostsWhatIsNew(t *testing.T) {
	far(t, func(t *testing.T, g *repo, r *source.Repository, sent *atomic.Int64) {
		g.many(400)
		first := g.commit("many")
		checkFiles(t, load(t, r))
		cheap := func(what string) {
			t.Helper()
			before := sent.Load()
			s := load(t, r)
			checkFiles(t, s)
			if len(s.Files) < 400 || s.Revision.Subject != what {
				t.Errorf("%s: %d files of %q", what, len(s.Files), s.Revision.Subject)
			}
			if n := sent.Load() - before; n > 30<<10 {
				t.Errorf("%s: %d bytes were sent", what, n)
			}
		}
		g.next("one")
		cheap("one")
		g.git("rm", "-q", "-r", "app-007")
		g.commit("removed")
		g.git("checkout", "-q", "-b", "side", first)
		g.next("aside")
		g.git("checkout", "-q", "main")
		g.git("merge", "-q", "--no-ff", "-m", "merged", "side")
		g.next("restored")
		g.git("checkout", "-q", first, "--", "app-007")
		g.git("commit", "-q", "-m", "restored")
		cheap("restored")
		g.git("reset", "-q", "--hard", first)
		g.next("rewritten")
		cheap("rewritten")
	})
}

// TestTheStoreIsAPlainRepository: the git program can look at it.
func TestTheStoreIsAPlainRepository(t *testing.T) {
	g := newRepo(t)
	g.many(20)
	g.commit("many")
	var dir string
	r := follow(t, serve(t, g).URL, plain, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	g.write("app-000/file-1", random(1999))
	head := g.commit("next")
	load(t, r)
	store := &repo{t, filepath.Join(dir, ".objects")}
	if got := store.git("log", "-1", "--format=%s", head); got != "next" {
		t.Errorf("its subject is %q", got)
	}
	packs, err := filepath.Glob(filepath.Join(store.dir, "objects/pack/*.idx"))
	if err != nil || len(packs) != 2 {
		t.Errorf("packs %q, %v", packs, err)
	}
	for _, pack := range packs {
		store.git("verify-pack", pack)
	}
}

// damages are what a crash, a full disk, a bad disk or a hand does to a file.
func damages(size int) map[string]func([]byte) []byte {
	out := map[string]func([]byte) []byte{
		"emptied": func([]byte) []byte { return nil },
		"halved":  func(b []byte) []byte { return b[:len(b)/2] },
		"zeroed":  func(b []byte) []byte { return make([]byte, len(b)) },
		"longer":  func(b []byte) []byte { return append(b, "more"...) },
	}
	for i := range 12 {
		at := size * i / 12
		out[fmt.Sprintf("flipped at %d", at)] = func(b []byte) []byte { b[at] ^= 1 << (i % 8); return b }
	}
	return out
}

// TestADamagedStoreCostsOneFetch: whatever is done to any of its files, the next
// commit comes whole, and so does the answer about history.
func TestADamagedStoreCostsOneFetch(t *testing.T) {
	g := newRepo(t)
	g.filters()
	g.many(12)
	g.write("big", random(100<<10))
	first := g.commit("first")
	s := serve(t, g)
	var dir string
	load(t, follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir }))
	g.write("app-000/file-1", random(1999))
	second := g.commit("second")
	load(t, follow(t, s.URL, plain, func(o *source.Options) { o.Dir = dir }))
	store := filepath.Join(dir, ".objects")
	g.write("app-000/file-2", random(1998))
	g.commit("third")
	for path, content := range contents(t, store) {
		for what, damage := range damages(len(content)) {
			t.Run(filepath.Base(path)+" "+what, func(t *testing.T) {
				t.Parallel()
				copied := filepath.Join(t.TempDir(), "cache")
				if err := os.CopyFS(filepath.Join(copied, ".objects"), os.DirFS(store)); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(copied, ".objects", path), damage(bytes.Clone(content)), 0o600); err != nil {
					t.Fatal(err)
				}
				mended(t, s.URL, copied, first, second)
			})
		}
	}
}

// contents are the files below a directory.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = data
		return err
	})
	if err != nil || len(out) < 5 {
		t.Fatalf("%d files, %v", len(out), err)
	}
	return out
}

// mended follows with a damaged store: nothing of that is to be noticed.
func mended(t *testing.T, url, dir, first, second string) {
	t.Helper()
	r := follow(t, url, plain, func(o *source.Options) { o.Dir = dir })
	s := load(t, r)
	checkFiles(t, s)
	if s.Revision.Subject != "third" || slices.ContainsFunc(s.Files, func(f source.File) bool { return f.Refused != "" }) {
		t.Errorf("got %q with %q", s.Revision.Subject, files(s))
	}
	wantRelation(t, r, first, second, source.Ahead)
	if err := r.Collect(s.Revision.Commit); err != nil || !slices.Equal(names(t, dir), []string{s.Revision.Commit}) {
		t.Errorf("left %q, %v", names(t, dir), err)
	}
}

// TestAStoreThatIsNone: something else stands in its place.
func TestAStoreThatIsNone(t *testing.T) {
	g := newRepo(t)
	first := g.next("first")
	second := g.next("second")
	g.next("third")
	s := serve(t, g)
	for name, put := range map[string]func(store string) error{
		"a file":           func(p string) error { return os.WriteFile(p, []byte("x"), 0o600) },
		"a link":           func(p string) error { return os.Symlink("/nonexistent", p) },
		"a link elsewhere": func(p string) error { return os.Symlink(g.dir, p) },
		"another directory": func(p string) error {
			return errors.Join(os.Mkdir(p, 0o700), os.WriteFile(filepath.Join(p, "notes"), nil, 0o600))
		},
		"a repository that borrows": func(p string) error {
			return errors.Join(os.MkdirAll(filepath.Join(p, "objects/info"), 0o700), os.WriteFile(filepath.Join(p, "HEAD"), []byte("ref: refs/heads/none\n"), 0o600),
				os.WriteFile(filepath.Join(p, "objects/info/alternates"), []byte(g.dir), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			if err := errors.Join(os.Mkdir(dir, 0o700), put(filepath.Join(dir, ".objects"))); err != nil {
				t.Fatal(err)
			}
			mended(t, s.URL, dir, first, second)
		})
	}
	if out := g.git("fsck", "--strict"); strings.Contains(out, "error") {
		t.Errorf("the repository that a link led to: %s", out)
	}
}

// TestAPackThatClaimsTooMuch: two billion objects in a few bytes cost no memory.
func TestAPackThatClaimsTooMuch(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := serve(t, g, forged("PACK\x00\x00\x00\x02\x80\x00\x00\x00"+strings.Repeat("x", 40)))
	r := follow(t, s.URL, plain)
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Unreachable, "claims 2147483648 objects", "")
}

// packsOf are the packs of the store in a cache.
func packsOf(t *testing.T, dir string) []string {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, ".objects/objects/pack/*.pack"))
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// TestPacksAreJoined: they do not pile up, nothing is fetched again for that, and what
// the commits of long ago held goes.
func TestPacksAreJoined(t *testing.T) {
	g := newRepo(t)
	g.filters()
	g.many(40)
	first := g.commit("first")
	var sent atomic.Int64
	s := serve(t, g, weighed(&sent))
	var dir string
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	most, last := 0, first
	for i := range 70 {
		g.write("app-000/changing", random(5000 + i)[i:])
		last = g.commit("next")
		before := sent.Load()
		checkFiles(t, load(t, r))
		if n := sent.Load() - before; n > 20<<10 {
			t.Errorf("commit %d: %d bytes were sent", i, n)
		}
		most = max(most, len(packsOf(t, dir)))
	}
	if most > 21 {
		t.Errorf("there were %d packs", most)
	}
	store := &repo{t, filepath.Join(dir, ".objects")}
	store.git("rev-list", "--objects", "--no-walk", last)
	if size := du(t, store.dir); size > 450<<10 {
		t.Errorf("the store has %d bytes", size)
	}
	before := s.requests.Load()
	wantRelation(t, r, first, last, source.Ahead)
	wantRelation(t, r, last, first, source.Behind)
	if n := s.requests.Load() - before; n != 0 {
		t.Errorf("%d requests for commits that had all been there", n)
	}
}

// du sums up the files below a directory.
func du(t *testing.T, dir string) (size int) {
	t.Helper()
	for _, content := range contents(t, dir) {
		size += len(content)
	}
	return size
}

// TestAMirrorIsBehindWhileTheServerIsDown: what the host has never seen itself is told
// from the history that came with the first commit.
func TestAMirrorIsBehindWhileTheServerIsDown(t *testing.T) {
	g := newRepo(t)
	g.filters()
	g.next("zero")
	old := g.next("old")
	g.next("newer")
	head := g.next("newest")
	var dir string
	load(t, follow(t, serve(t, g).URL, plain, func(o *source.Options) { dir = o.Dir }))
	mirror := newRepo(t)
	mirror.git("fetch", "-q", g.dir, "main")
	mirror.git("reset", "-q", "--hard", old)
	stale := follow(t, serve(t, mirror).URL, plain, func(o *source.Options) { o.Dir = dir })
	commit, err := stale.Resolve(t.Context())
	if err != nil || commit != old {
		t.Fatal(commit, err)
	}
	wantRelation(t, stale, head, old, source.Behind)
}

// TestAWholeBranchDoesNotStay: where a server gives out a commit with its branch only,
// what else came with that is dropped.
func TestAWholeBranchDoesNotStay(t *testing.T) {
	g := newRepo(t)
	g.write("big", random(1<<20))
	g.commit("big")
	g.git("rm", "-q", "big")
	g.write("kept", "kept")
	g.commit("without")
	var behind atomic.Bool
	var dir string
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if behind.Swap(false) && strings.HasSuffix(r.URL.Path, "info/refs") { // the tip moves on after it was asked for
				g.next("newer")
			}
			h.ServeHTTP(w, r)
		})
	})
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	behind.Store(true)
	got, err := r.Load(t.Context(), commit)
	if err != nil || files(got) != "kept\n" {
		t.Fatalf("got %q, %v", files(got), err)
	}
	if size := du(t, filepath.Join(dir, ".objects")); size > 100<<10 {
		t.Errorf("the store has %d bytes", size)
	}
	checkFiles(t, load(t, r))
}

// TestRefusedHistoriesDoNotPileUp: of a history that is not followed nothing stays, and
// nothing of what is followed goes with it, whatever came again.
func TestRefusedHistoriesDoNotPileUp(t *testing.T) {
	for name, filters := range map[string]bool{"with filters": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			if filters {
				g.filters()
			}
			old := g.next("old")
			g.next("newer")
			first := g.next("first")
			url := serveSwitched(t, g)
			mirror := newRepo(t)
			mirror.git("fetch", "-q", g.dir, "main")
			mirror.git("reset", "-q", "--hard", old)
			var dir string
			h := newHost(t, url.URL, []string{serve(t, mirror).URL}, func(o *source.Options) { dir = o.Dir })
			h.takes("at first", first)
			before := contents(t, filepath.Join(dir, ".objects"))
			for round := range 3 {
				tip := ""
				for i := range 5 {
					args := []string{"commit-tree", g.git("rev-parse", first+"^{tree}"), "-F", "-"}
					if tip != "" {
						args = append(args, "-p", tip)
					}
					tip = g.gitIn(fmt.Sprint(round, i, random(20_000+round)), args...)
				}
				g.git("update-ref", "refs/heads/main", tip)
				h.repo.Forget()
				h.refuses("another history", fault.Blocked, "does not descend")
				after := contents(t, filepath.Join(dir, ".objects"))
				if !slices.Equal(slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after))) {
					t.Fatalf("round %d: the store has %q, and had %q", round, slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
				}
			}
			url.off.Store(true)
			h.repo.Forget()
			h.refuses("with repo.url down", fault.Unreachable, "stale")
		})
	}
}
