package source_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// bundled writes a bundle of what is followed and lets git judge it, in a repository
// that has the commits since.
func bundled(t *testing.T, r *source.Repository, g *repo, since ...string) (file string) {
	t.Helper()
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "x.bundle")
	out, err := r.Bundle(t.Context(), commit, since, file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(g.git(slices.Concat([]string{"rev-list", commit, "--not"}, since)...)); !slices.Equal(out.Commits, want) {
		t.Errorf("it tells of the commits %v, git of %v", out.Commits, want)
	}
	if out := g.git("bundle", "verify", file); len(since) == 0 && !strings.Contains(out, "complete history") {
		t.Errorf("git says: %s", out)
	}
	return file
}

func sizeOf(t *testing.T, file string) int64 {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// What one syncd bundles, git and another syncd take, from every kind of place.
func TestARevisionIsBundled(t *testing.T) {
	g, commits := history(t, 4)
	g.git("tag", "-a", "v1", "-m", "one")
	server := serve(t, g)
	all := arrivals(t)
	all.put("a.bundle", g.bundle("main", "v1"), 0)
	for name, url := range map[string]string{"local": g.dir, "server": server.URL, "bundle": all.url()} {
		t.Run(name, func(t *testing.T) {
			whole := bundled(t, follow(t, url, plain), g)
			rest := bundled(t, follow(t, url, plain), g, commits[2])
			if a, b := sizeOf(t, whole), sizeOf(t, rest); b >= a/2 {
				t.Errorf("the whole has %d bytes, the difference %d", a, b)
			}
			in := arrivals(t)
			there := follow(t, in.url())
			in.put("2.bundle", mustRead(t, rest), 0)
			wantNone(t, there, fault.Unreachable, "waits")
			in.put("1.bundle", mustRead(t, bundled(t, follow(t, url, plain, at(config.Ref{Commit: commits[2]})), g)), 0)
			wantHead(t, there, commits[3])
			checkFiles(t, load(t, there))
		})
		t.Run(name+", a tag", func(t *testing.T) {
			file := bundled(t, follow(t, url, plain, at(config.Ref{Tag: "v1"})), g)
			if out := g.git("bundle", "list-heads", file); out != g.git("rev-parse", "v1")+" refs/tags/v1" {
				t.Errorf("it brings %s", out)
			}
			wantHead(t, follow(t, "bundle://"+file, at(config.Ref{Tag: "v1"})), commits[3])
		})
		t.Run(name+", HEAD", func(t *testing.T) {
			file := bundled(t, follow(t, url, plain, at(config.Ref{})), g)
			wantHead(t, follow(t, "bundle://"+file, at(config.Ref{})), commits[3])
			wantHead(t, follow(t, "bundle://"+file), commits[3])
		})
	}
}

func at(ref config.Ref) func(*source.Options) { return func(o *source.Options) { o.Ref = ref } }

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestWhatCannotBeBundled(t *testing.T) {
	g, commits := history(t, 2)
	r := follow(t, g.dir)
	for since, want := range map[string]string{strings.Repeat("9", 40): "is not in the history", "main": "not a full object name", commits[1]: "nothing new"} {
		_, err := r.Bundle(t.Context(), commits[1], []string{since}, filepath.Join(t.TempDir(), "x"))
		wantFault(t, err, fault.Rejected, want, "")
	}
}
