package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// bundle writes a bundle with git itself and returns its bytes.
func (r *repo) bundle(args ...string) []byte {
	r.t.Helper()
	file := filepath.Join(r.t.TempDir(), "x.bundle")
	r.git(append([]string{"bundle", "create", "-q", file}, args...)...)
	data, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	return data
}

// incoming is a directory that bundles are brought to.
type incoming struct {
	t   testing.TB
	dir string
}

func arrivals(t testing.TB) incoming { return incoming{t, t.TempDir()} }

func (in incoming) url() string { return "bundle://" + in.dir }

// put brings a file as a courier does: under its name when it is whole. Its age says
// how long ago it was written.
func (in incoming) put(name string, data []byte, age time.Duration) {
	in.t.Helper()
	temp, err := os.CreateTemp(in.t.TempDir(), "")
	if err != nil {
		in.t.Fatal(err)
	}
	if _, err := temp.Write(data); err != nil {
		in.t.Fatal(err)
	}
	if err := temp.Close(); err != nil {
		in.t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(temp.Name(), then, then); err != nil {
		in.t.Fatal(err)
	}
	if err := os.Rename(temp.Name(), filepath.Join(in.dir, name)); err != nil {
		in.t.Fatal(err)
	}
}

func (in incoming) remove(name string) {
	in.t.Helper()
	if err := os.Remove(filepath.Join(in.dir, name)); err != nil {
		in.t.Fatal(err)
	}
}

// told is what became of each bundle, a line each.
func told(t testing.TB, r *source.Repository) string {
	t.Helper()
	var lines []string
	for _, s := range r.Bundles() {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}

// history is a repository whose files change a little with each commit, so that Git
// tells them as differences.
func history(t testing.TB, commits int) (g *repo, all []string) {
	t.Helper()
	g = newRepo(t)
	body := random(20_000)
	g.write("shop/large", random(100_000)[40_000:])
	for i := range commits {
		g.write("shop/compose.yaml", "services: {}\n# "+strings.Repeat("x", i)+"\n"+body)
		g.write("shop/sub/file"+string(rune('a'+i)), body[i*100:])
		all = append(all, g.commit("commit"))
	}
	return g, all
}

func wantHead(t testing.TB, r *source.Repository, commit string) {
	t.Helper()
	if s := load(t, r); s.Revision.Commit != commit || len(s.Files) == 0 {
		t.Fatalf("it is at %s with %d files, want %s\n%s", s.Revision.Commit, len(s.Files), commit, told(t, r))
	}
}

func wantNone(t testing.TB, r *source.Repository, class fault.Class, text string) {
	t.Helper()
	commit, err := r.Resolve(t.Context())
	if fault.Of(err) != class || !strings.Contains(err.Error(), text) {
		t.Fatalf("got %s, %v (%v), want %q", commit, err, fault.Of(err), text)
	}
}

func TestABundleIsARepository(t *testing.T) {
	g, commits := history(t, 3)
	g.git("tag", "-a", "v1", "-m", "one", commits[1])
	in := arrivals(t)
	in.put("all.bundle", g.bundle("HEAD", "main", "v1"), time.Hour)
	for ref, want := range map[config.Ref]string{
		{}:                   commits[2],
		{Branch: "main"}:     commits[2],
		{Tag: "v1"}:          commits[1],
		{Commit: commits[0]}: commits[0],
	} {
		for _, url := range []string{in.url(), in.url() + "/all.bundle"} {
			r := follow(t, url, func(o *source.Options) { o.Ref = ref })
			s := load(t, r)
			if s.Revision.Commit != want {
				t.Errorf("%s %+v is %s, want %s", url, ref, s.Revision.Commit, want)
			}
			checkFiles(t, s)
		}
	}
	r := follow(t, in.url(), func(o *source.Options) { o.Ref = config.Ref{Branch: "mein"} })
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Rejected, "no branch mein", "main")
}

// Whatever order they come in, the newest that can be applied counts.
func TestBundlesBuildOnEachOther(t *testing.T) {
	g, commits := history(t, 4)
	in := arrivals(t)
	r := follow(t, in.url())
	wantNone(t, r, fault.Unreachable, "no bundle")
	at := func(name string) []byte { // a bundle with main at another commit
		g.git("update-ref", "refs/heads/main", name)
		defer g.git("update-ref", "refs/heads/main", commits[3])
		return g.bundle("main")
	}
	since := func(from, to string) []byte {
		g.git("update-ref", "refs/heads/main", to)
		defer g.git("update-ref", "refs/heads/main", commits[3])
		return g.bundle("main", "^"+from)
	}
	in.put("c.bundle", since(commits[2], commits[3]), time.Minute)
	wantNone(t, r, fault.Unreachable, "waits: it builds on commit "+commits[2])
	in.put("a.bundle", at(commits[0]), time.Hour)
	wantHead(t, r, commits[0])
	in.put("b.bundle", since(commits[0], commits[2]), 2*time.Hour)
	wantHead(t, r, commits[3])
	if got := told(t, r); got != "c.bundle serves\na.bundle is older\nb.bundle is older" {
		t.Errorf("told:\n%s", got)
	}
	checkFiles(t, load(t, r))
	for _, name := range []string{"a.bundle", "b.bundle"} { // what was taken in stays
		in.remove(name)
		wantHead(t, r, commits[3])
	}
	in.put("z.bundle", at(commits[1]), 0) // an older one, brought again
	wantHead(t, r, commits[3])
}
