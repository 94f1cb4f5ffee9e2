package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/source"
)

// same tells whether a path leads to the same file in two snapshots.
func same(t *testing.T, a, b source.Snapshot, path string) bool {
	t.Helper()
	var at [2]os.FileInfo
	for i, s := range []source.Snapshot{a, b} {
		info, err := os.Lstat(filepath.Join(s.Dir, path))
		if err != nil {
			t.Fatal(err)
		}
		at[i] = info
	}
	return os.SameFile(at[0], at[1])
}

// wantFresh compares a snapshot with one that was made from nothing.
func wantFresh(t *testing.T, url string, got source.Snapshot, change ...func(*source.Options)) {
	t.Helper()
	want := load(t, follow(t, url, append(change, plain)...))
	checkFiles(t, got)
	if got.Revision != want.Revision || len(got.Files) != len(want.Files) {
		t.Fatalf("got %+v with %d files, want %+v with %d", got.Revision, len(got.Files), want.Revision, len(want.Files))
	}
	for i, f := range want.Files {
		if got.Files[i] != f {
			t.Errorf("got %+v, want %+v", got.Files[i], f)
		}
	}
}

// TestWhatIsTheSameIsShared: a snapshot is the same whether it was made from the last
// one or from nothing, and only what differs is written.
func TestWhatIsTheSameIsShared(t *testing.T) {
	g := newRepo(t)
	for _, path := range []string{"a/b/deep", "a/b.c", "a/c", "a-b", "a0", "top", "gone/x", "gone/deep/y", "to-dir", "to-file/z", "run"} {
		g.write(path, "this is "+path)
	}
	g.write("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("a", 64)+"\nsize 12345\n")
	g.write("huge", strings.Repeat("x", 6<<20))
	g.write("Gr\u00fc\u200dn/x", "hidden")
	for link, target := range map[string]string{"link": "a/c", "out": "../out", "via": "a/up", "a/up": "b"} {
		if err := os.Symlink(target, filepath.Join(g.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	g.git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("1", 40)+",module")
	g.git("add", "-A", "--", ":!module")
	g.git("commit", "-q", "-m", "first")
	both(t, g, func(t *testing.T, url string) {
		g.git("checkout", "-q", "-B", "main", "main")
		begin := g.git("rev-parse", "HEAD")
		defer g.git("reset", "-q", "--hard", begin)
		r := follow(t, url, plain)
		first := load(t, r)
		wantFresh(t, url, first)
		g.git("rm", "-q", "-r", "gone", "to-dir", "to-file", "a/up")
		g.write("to-dir/now", "a directory")
		g.write("to-file", "a file")
		g.write("a/b/deep", "changed")
		if err := os.Symlink("../..", filepath.Join(g.dir, "a/up")); err != nil { // which makes another link leave
			t.Fatal(err)
		}
		g.git("add", "-A", "--", ":!module")
		g.git("update-index", "--chmod=+x", "run")
		g.git("commit", "-q", "-m", "second")
		second := load(t, r)
		wantFresh(t, url, second)
		for _, path := range []string{"a/b.c", "a/c", "a-b", "a0", "top"} {
			if !same(t, first, second, path) {
				t.Errorf("%s was written again", path)
			}
		}
		for _, path := range []string{"a/b/deep", "run"} {
			if same(t, first, second, path) {
				t.Errorf("%s is shared", path)
			}
		}
		g.git("commit", "-q", "--allow-empty", "-m", "third")
		third := load(t, r)
		wantFresh(t, url, third)
		if !same(t, second, third, "a/b/deep") || !same(t, first, third, "top") {
			t.Error("of a commit that changes nothing something was written")
		}
		if err := r.Collect(third.Revision.Commit); err != nil {
			t.Fatal(err)
		}
		checkFiles(t, third)
	})
}

// TestDamageIsNotShared: what differs from the manifest is written anew, and found in
// all snapshots that have it.
func TestDamageIsNotShared(t *testing.T) {
	for name, damage := range map[string]func(file string) error{
		"gone":           os.Remove,
		"truncated":      func(f string) error { return os.Truncate(f, 0) },
		"other mode":     func(f string) error { return os.Chmod(f, 0o755) },
		"a link":         func(f string) error { return errors.Join(os.Remove(f), os.Symlink("/etc/passwd", f)) },
		"a pipe":         func(f string) error { return errors.Join(os.Remove(f), syscall.Mkfifo(f, 0o644)) },
		"directory gone": func(f string) error { return os.RemoveAll(filepath.Dir(f)) },
		"directory a link": func(f string) error {
			d := filepath.Dir(f)
			return errors.Join(os.Rename(d, d+"-moved"), os.Symlink(d+"-moved", d))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRepo(t)
			g.write("a/file", "content")
			g.write("a/other", "content too")
			g.commit("first")
			url := serve(t, g).URL
			r := follow(t, url, plain)
			first := load(t, r)
			if err := damage(filepath.Join(first.Dir, "a/file")); err != nil {
				t.Fatal(err)
			}
			g.next("second")
			wantFresh(t, url, load(t, r))
		})
	}
}

// TestDamageThatIsShared: bytes that changed in place are found at the next start, in
// the snapshot and in those that were made from it.
func TestDamageThatIsShared(t *testing.T) {
	g := newRepo(t)
	g.write("a/file", "content")
	first := g.commit("first")
	url := serve(t, g).URL
	var dir string
	r := follow(t, url, plain, func(o *source.Options) { dir = o.Dir })
	load(t, r)
	g.next("second")
	second := load(t, r)
	if err := os.WriteFile(filepath.Join(second.Dir, "a/file"), []byte("CONTENT"), 0o600); err != nil {
		t.Fatal(err)
	}
	later := follow(t, url, plain, func(o *source.Options) { o.Dir = dir })
	wantFresh(t, url, load(t, later))
	again, err := later.Load(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	checkFiles(t, again)
	if data, err := os.ReadFile(filepath.Join(again.Dir, "a/file")); err != nil || string(data) != "content" {
		t.Errorf("the first one has %q, %v", data, err)
	}
}

// TestLimitsOfTodayCount: what was taken over is judged by them.
func TestLimitsOfTodayCount(t *testing.T) {
	g := newRepo(t)
	g.write("a/short", random(1000))
	g.write("a/long", random(3000))
	g.commit("first")
	url := serve(t, g).URL
	var dir string
	load(t, follow(t, url, plain, func(o *source.Options) { dir, o.Limits.File = o.Dir, 2<<10 }))
	g.next("second")
	for _, limit := range []int{4 << 10, 1 << 10} {
		set := func(o *source.Options) { o.Limits.File = config.Bytes(limit) }
		r := follow(t, url, plain, set, func(o *source.Options) { o.Dir = dir })
		if _, err := r.Load(t.Context(), g.git("rev-parse", "main~1")); err != nil {
			t.Fatal(err)
		}
		s := load(t, r)
		wantFresh(t, url, s, set)
		if err := os.RemoveAll(filepath.Dir(s.Dir)); err != nil {
			t.Fatal(err)
		}
	}
}
