package source_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// both runs a test against a repository in place and over HTTP.
func both(t *testing.T, g *repo, f func(t *testing.T, url string)) {
	t.Helper()
	t.Run("local", func(t *testing.T) { f(t, g.dir) })
	t.Run("http", func(t *testing.T) { f(t, serve(t, g).URL) })
}

// TestCommitsThatAreRefusedWhole: nothing of them is on disk afterwards.
func TestCommitsThatAreRefusedWhole(t *testing.T) {
	g := newRepo(t)
	blob := g.blob("x")
	sub := g.tree([3]string{"100644", "config", blob})
	for name, c := range map[string]struct {
		tree string
		text string
	}{
		".git directory":   {g.tree([3]string{"40000", ".git", sub}), "a repository's own directory"},
		".GIT directory":   {g.tree([3]string{"40000", ".GIT", sub}), "a repository's own directory"},
		"git~1":            {g.tree([3]string{"40000", "git~1", sub}), "a repository's own directory"},
		"invisible .git":   {g.tree([3]string{"100644", ".g\u200cit", blob}), "a repository's own directory"},
		"deeper .git":      {g.tree([3]string{"40000", "a", g.tree([3]string{"100644", ".git", blob})}), "a repository's own directory"},
		"backslash":        {g.tree([3]string{"100644", `a\b`, blob}), "backslash"},
		"slash":            {g.tree([3]string{"100644", "../evil", blob}), "slash"},
		"dot dot":          {g.tree([3]string{"40000", "..", sub}), `an entry is named ".."`},
		"dot":              {g.tree([3]string{"40000", ".", sub}), `an entry is named "."`},
		"no name":          {g.tree([3]string{"100644", "", blob}), `an entry is named ""`},
		"twice":            {g.tree([3]string{"100644", "a", blob}, [3]string{"100644", "a", blob}), "two entries"},
		"link then tree":   {g.tree([3]string{"120000", "a", g.blob("/tmp")}, [3]string{"40000", "a", sub}), "two entries"},
		"unknown mode":     {g.tree([3]string{"60000", "dev", blob}), "unknown mode"},
		"too deep":         {deep(g, blob, 101), "more than 100 deep"},
		"path too long":    {longPath(g, blob), "longer than 4096 bytes"},
		"no mode":          {g.tree([3]string{"zz", "a", blob}), "has no mode"},
		"tree of the bomb": {bomb(g, blob), "more than 20000 files"},
	} {
		t.Run(name, func(t *testing.T) {
			g.tip(c.tree)
			both(t, g, func(t *testing.T, url string) {
				var dir string
				r := follow(t, url, plain, func(o *source.Options) { dir = o.Dir })
				commit, err := r.Resolve(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.Load(t.Context(), commit)
				if err != nil && strings.Contains(err.Error(), "corruption on the remote side") {
					return // the git program itself does not hand this tree out
				}
				wantFault(t, err, fault.Rejected, c.text, "")
				if left := names(t, dir); len(left) > 0 {
					t.Errorf("left in the cache: %q", left)
				}
				if left, err := filepath.Glob(filepath.Join(dir, ".objects/objects/pack/*")); err != nil || len(left) > 0 {
					t.Errorf("left in the object store: %q, %v", left, err)
				}
			})
		})
	}
}

func deep(g *repo, blob string, levels int) string {
	tree := g.tree([3]string{"100644", "f", blob})
	for range levels {
		tree = g.tree([3]string{"40000", "d", tree})
	}
	return tree
}

func longPath(g *repo, blob string) string {
	name := strings.Repeat("n", 200)
	tree := g.tree([3]string{"100644", "f", blob})
	for range 21 {
		tree = g.tree([3]string{"40000", name, tree})
	}
	return tree
}

// bomb has 10^10 paths in eleven small objects.
func bomb(g *repo, blob string) string {
	kind, hash := "100644", blob
	for range 10 {
		var lines [][3]string
		for i := range 10 {
			lines = append(lines, [3]string{kind, fmt.Sprint("d", i), hash})
		}
		kind, hash = "40000", g.tree(lines...)
	}
	return hash
}

// TestFilesThatAreRefusedAlone: they are listed and not written; all else is.
func TestFilesThatAreRefusedAlone(t *testing.T) {
	g := newRepo(t)
	g.write("real/file", "x")
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12345\n"
	link := func(target string) string { return g.blob(target) }
	blob := g.blob("x")
	g.tip(g.tree(
		[3]string{"100644", "Grü\xffn", blob},
		[3]string{"120000", "absolute", link("/etc/passwd")},
		[3]string{"120000", "chain", link("inner/up")},
		[3]string{"100664", "group-writable", blob},
		[3]string{"120000", "good", link("real/file")},
		[3]string{"120000", "good-dangling", link("real/nothing")},
		[3]string{"100644", "huge", g.blob(strings.Repeat("0", 6<<20))},
		[3]string{"40000", "inner", g.tree([3]string{"120000", "back", link("../real/file")}, [3]string{"120000", "up", link("../..")})},
		[3]string{"100644", "lfs.bin", g.blob(pointer)},
		[3]string{"120000", "loop1", link("loop2")},
		[3]string{"120000", "loop2", link("loop1")},
		[3]string{"160000", "module", strings.Repeat("1", 40)},
		[3]string{"40000", "real", g.tree([3]string{"100644", "file", blob})},
		[3]string{"120000", "through", link("chain/etc/passwd")},
		[3]string{"120000", "up", link("../outside")},
		[3]string{"120000", "void", link("")},
		[3]string{"40000", "x\x1b[31m", g.tree([3]string{"100644", "f", blob})},
	))
	want := `Grü\xffn (refused: its name has characters that cannot be shown)
absolute (refused: a link to an absolute path)
chain (refused: a link that leaves the repository)
good
good-dangling
group-writable
huge (refused: larger than 5242880 bytes (limits.file))
inner/back
inner/up (refused: a link that leaves the repository)
lfs.bin (refused: a Git LFS pointer, not the file that it stands for)
loop1 (refused: a link that passes through more than 40 links)
loop2 (refused: a link that passes through more than 40 links)
module (refused: a submodule: submodules are not fetched)
real/file
through (refused: a link that leaves the repository)
up (refused: a link that leaves the repository)
void (refused: a link with an unusable target)
x\x1b[31m/f (refused: its name has characters that cannot be shown)
`
	both(t, g, func(t *testing.T, url string) {
		s := load(t, follow(t, url, plain))
		if got := files(s); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		checkFiles(t, s)
	})
}

func TestLimitsOfACommit(t *testing.T) {
	g := newRepo(t)
	for i := range 10 {
		g.write(fmt.Sprint("f", i), random(1<<20))
	}
	g.commit("ten MiB")
	both(t, g, func(t *testing.T, url string) {
		for name, c := range map[string]struct {
			limits config.Limits
			text   string
			hint   string
		}{
			"files": {config.Limits{Files: 9}, "more than 9 files", "limits.files"},
			"disk":  {config.Limits{FetchDisk: 5 << 20}, "larger than", "limits.fetchDisk"},
		} {
			r := follow(t, url, plain, func(o *source.Options) { o.Limits = c.limits })
			commit, err := r.Resolve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.Load(t.Context(), commit)
			t.Log(name)
			wantFault(t, err, fault.Rejected, c.text, c.hint)
		}
	})
}

// TestDirectoriesAreNoFiles: limits.files counts what its name says, and a bomb
// of directories meets the same number.
func TestDirectoriesAreNoFiles(t *testing.T) {
	g := newRepo(t)
	for i := range 6 {
		g.write(fmt.Sprintf("app%d/deep/compose.yaml", i), "services: {}\n")
	}
	g.commit("six files in twelve directories")
	six := func(o *source.Options) { o.Limits.Files = 6 }
	both(t, g, func(t *testing.T, url string) {
		r := follow(t, url, plain, six)
		commit, err := r.Resolve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Load(t.Context(), commit)
		wantFault(t, err, fault.Rejected, "more than 6 directories", "limits.files")
		if s := load(t, follow(t, url, plain, func(o *source.Options) { o.Limits.Files = 12 })); len(s.Files) != 6 {
			t.Errorf("got %q", files(s))
		}
	})
}

// TestTheDiskLimitHoldsForAllOfAFetch: the download and the files that are made
// of it are on the disk at the same time.
func TestTheDiskLimitHoldsForAllOfAFetch(t *testing.T) {
	g := newRepo(t)
	for i := range 6 {
		g.write(fmt.Sprint("f", i), fmt.Sprint(i)+random(1<<20))
	}
	g.git("config", "pack.window", "0") // no file is sent as another's difference
	g.commit("six MiB, and some four in a pack")
	eight := func(o *source.Options) { o.Limits.FetchDisk = 8 << 20 }
	load(t, follow(t, g.dir, eight)) // in place: nothing is downloaded
	url := serve(t, g).URL
	r := follow(t, url, plain, eight)
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Rejected, "the download and the commit's files are larger than 8 MiB", "limits.fetchDisk")
	load(t, follow(t, url, plain, func(o *source.Options) { o.Limits.FetchDisk = 16 << 20 }))
}

// TestPackBomb: a small pack that inflates to more than the memory limit.
func TestPackBomb(t *testing.T) {
	g := newRepo(t)
	big := filepath.Join(g.dir, "zeros")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(300 << 20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	g.git("config", "core.compression", "1")
	g.commit("zeros")
	if err := os.Remove(big); err != nil {
		t.Fatal(err)
	}
	r := follow(t, serve(t, g).URL, plain, func(o *source.Options) { o.Limits.FetchMemory = 128 << 20 })
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Rejected, "fetch needs more than 128 MiB of memory", "limits.fetchMemory")
	local := load(t, follow(t, g.dir, func(o *source.Options) { o.Limits.FetchMemory = 128 << 20 }))
	if got := files(local); got != "zeros (refused: larger than 5242880 bytes (limits.file))\n" {
		t.Errorf("in place, where nothing need be inflated: %q", got)
	}
}

func TestEmptiedRepository(t *testing.T) {
	g := newRepo(t)
	g.write("a", "x")
	g.commit("first")
	g.git("rm", "-q", "a")
	g.commit("emptied")
	both(t, g, func(t *testing.T, url string) {
		if s := load(t, follow(t, url, plain)); len(s.Files) != 0 || s.Revision.Subject != "emptied" {
			t.Errorf("got %+v with %d files", s.Revision, len(s.Files))
		}
	})
}
