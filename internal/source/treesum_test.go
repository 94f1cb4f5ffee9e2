package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/source"
)

// The sum of what a commit holds is the name that Git gave to its tree, whatever the
// names in it are.
func TestTreeSumIsGits(t *testing.T) {
	g := newRepo(t)
	for _, name := range []string{"a", "a.b", "a-b/c", "a/b", "a0", "x/y/z/deep", "x/y.txt", "ümläut", "white space", "latin\xe9", "tab\there"} {
		if name == "a" {
			continue
		}
		g.write(name, "content of "+name)
	}
	if err := os.Chmod(filepath.Join(g.dir, "a0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a0", filepath.Join(g.dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(g.dir, "x/outside")); err != nil {
		t.Fatal(err)
	}
	g.git("update-index", "--add", "--cacheinfo", "160000,4b825dc642cb6eb9a060e54bf8d69288fbee4904,module")
	g.commit("odd names")
	s := load(t, follow(t, g.dir))
	got, err := source.TreeSum(s.Files)
	if want := g.git("rev-parse", "HEAD^{tree}"); err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	s.Files[0].Hash = s.Files[1].Hash
	if other, err := source.TreeSum(s.Files); err != nil || other == got {
		t.Errorf("another file has the same sum: %v", err)
	}
}
