package source_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// ways runs a test against a repository in place, over HTTP from a server that can
// leave out what is no history and from one that cannot, and over SSH.
func ways(t *testing.T, f func(t *testing.T, g *repo, r *source.Repository)) {
	t.Helper()
	t.Run("local", func(t *testing.T) {
		g := newRepo(t)
		f(t, g, follow(t, g.dir))
	})
	t.Run("http", func(t *testing.T) {
		g := newRepo(t)
		f(t, g, follow(t, serve(t, g).URL, plain))
	})
	t.Run("http with filters", func(t *testing.T) {
		g := newRepo(t)
		g.filters()
		f(t, g, follow(t, serve(t, g).URL, plain))
	})
	t.Run("ssh", func(t *testing.T) {
		g, s := newRepo(t), serveSSH(t)
		f(t, g, follow(t, s.url(g), s.login(t, s.client, s.host.PublicKey(), "")))
	})
}

// filters has the server do what the large forges do.
func (r *repo) filters() {
	r.git("config", "uploadpack.allowFilter", "true")
	r.git("config", "uploadpack.allowAnySHA1InWant", "true")
}

// next commits something, and returns the commit.
func (r *repo) next(name string) string {
	r.t.Helper()
	r.write(name, name)
	return r.commit(name)
}

// wantRelation asks how to stands to from.
func wantRelation(t *testing.T, r *source.Repository, from, to string, want source.Relation) {
	t.Helper()
	if got, err := r.Relate(t.Context(), from, to); err != nil || got != want {
		t.Errorf("%.7s stands to %.7s: %v, %v; want %v", to, from, got, err, want)
	}
}

// subjects are the first lines of commits' messages.
func subjects(commits []source.Commit) string {
	var out []string
	for _, c := range commits {
		_, message, _ := strings.Cut(string(c.Raw), "\n\n")
		out = append(out, strings.TrimSpace(message))
	}
	return strings.Join(out, " ")
}

func wantBetween(t *testing.T, r *source.Repository, from, to, want string) {
	t.Helper()
	if got, err := r.Between(t.Context(), from, to); err != nil || subjects(got) != want {
		t.Errorf("between %.7s and %.7s: %q, %v; want %q", from, to, subjects(got), err, want)
	}
}

// TestACommitsRelationToTheOneBefore follows a repository as it moves on, as it is
// set back, and as its history is rewritten.
func TestACommitsRelationToTheOneBefore(t *testing.T) {
	ways(t, func(t *testing.T, g *repo, r *source.Repository) {
		g.next("zero")
		first := g.next("first")
		load(t, r)
		wantRelation(t, r, first, first, source.Same)
		second := g.next("second")
		g.git("checkout", "-q", "-b", "side", first+"~1") // forked before what was known first
		g.next("aside")
		g.git("checkout", "-q", "main")
		g.git("merge", "-q", "--no-ff", "-m", "merge", "side")
		merged := g.git("rev-parse", "HEAD")
		load(t, r)
		wantRelation(t, r, first, merged, source.Ahead)
		wantRelation(t, r, second, merged, source.Ahead)
		wantRelation(t, r, merged, second, source.Behind)
		g.git("reset", "-q", "--hard", second)
		load(t, r)
		wantRelation(t, r, merged, second, source.Behind)
		other := g.next("other")
		load(t, r)
		wantRelation(t, r, merged, other, source.Diverged)
	})
}

func TestCommitsBetweenTwo(t *testing.T) {
	ways(t, func(t *testing.T, g *repo, r *source.Repository) {
		g.next("zero")
		first := g.next("first")
		g.git("checkout", "-q", "-b", "side", first+"~1")
		g.next("aside")
		g.git("checkout", "-q", "main")
		g.git("merge", "-q", "--no-ff", "-m", "merge", "side")
		last := g.next("last")
		load(t, r)
		wantBetween(t, r, "", last, "last")
		wantBetween(t, r, last, last, "")
		got, err := r.Between(t.Context(), first, last)
		names := strings.Fields(subjects(got))
		slices.Sort(names)
		if err != nil || !slices.Equal(names, []string{"aside", "last", "merge"}) {
			t.Errorf("got %q, %v", names, err)
		}
		if slices.ContainsFunc(got, func(c source.Commit) bool { return g.git("cat-file", "-t", c.Hash) != "commit" }) {
			t.Error("something is no commit")
		}
		wantBetween(t, r, last, first, "")
	})
}

// TestUnrelatedHistoriesDiverge: also where the server has forgotten the old one.
func TestUnrelatedHistoriesDiverge(t *testing.T) {
	g := newRepo(t)
	g.filters()
	old := g.next("old")
	r := follow(t, serve(t, g).URL, plain)
	load(t, r)
	g.git("checkout", "-q", "--orphan", "anew")
	g.git("branch", "-q", "-D", "main")
	g.git("branch", "-q", "-m", "main")
	fresh := g.next("fresh")
	wantRelation(t, r, old, load(t, r).Revision.Commit, source.Diverged)
	g.git("reflog", "expire", "--expire=now", "--all")
	g.git("gc", "-q", "--prune=now")
	wantRelation(t, r, old, fresh, source.Diverged)
}

// TestABorderIsNoEndOfHistory: a server that is shallow itself shows only the newest
// commits. Where they do not tell, nothing is said.
func TestABorderIsNoEndOfHistory(t *testing.T) {
	whole := newRepo(t)
	old := whole.next("old")
	whole.next("middle")
	whole.next("new")
	g := newRepo(t)
	g.filters()
	g.git("fetch", "-q", "--depth", "1", "file://"+whole.dir, "main")
	g.git("reset", "-q", "--hard", "FETCH_HEAD")
	head := g.git("rev-parse", "HEAD")
	both(t, g, func(t *testing.T, url string) {
		r := follow(t, url, plain)
		load(t, r)
		wantRelation(t, r, old, head, source.Unknown)
		_, err := r.Between(t.Context(), old, head)
		wantFault(t, err, fault.Unreachable, "does not give the history", "whole history")
	})
}

// TestHistoryIsAskedForOnce: what the store knows costs no request.
func TestHistoryIsAskedForOnce(t *testing.T) {
	g := newRepo(t)
	g.filters()
	first := g.next("first")
	var asked atomic.Int64
	s := serve(t, g, packs(&asked, nil))
	var dir string
	r := follow(t, s.URL, plain, func(o *source.Options) { dir = o.Dir })
	last := ""
	for _, name := range []string{"a", "b", "c"} {
		last = g.next(name)
	}
	if _, err := r.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRelation(t, r, first, last, source.Ahead)
	if asked.Load() != 1 {
		t.Errorf("%d packs were asked for, want 1", asked.Load())
	}
	before := s.requests.Load()
	later := follow(t, s.URL, plain, func(o *source.Options) { o.Dir = dir })
	for _, r := range []*source.Repository{r, later} {
		wantRelation(t, r, first, last, source.Ahead)
		wantRelation(t, r, last, first, source.Behind)
		wantBetween(t, r, first, last, "c b a")
	}
	if n := s.requests.Load() - before; n != 0 {
		t.Errorf("%d requests for what was known", n)
	}
}

// TestHistoryAloneIsFetched: no file's content comes with it where the server can
// leave it out.
func TestHistoryAloneIsFetched(t *testing.T) {
	g := newRepo(t)
	g.filters()
	first := g.next("first")
	g.write("big", random(1<<20))
	last := g.commit("big")
	var sent atomic.Int64
	r := follow(t, serve(t, g, weighed(&sent)).URL, plain)
	if _, err := r.Resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantRelation(t, r, first, last, source.Ahead)
	if sent.Load() > 10<<10 {
		t.Errorf("%d bytes were sent", sent.Load())
	}
}

func TestRelationsWantFullCommits(t *testing.T) {
	g := newRepo(t)
	head := g.next("x")
	r := follow(t, g.dir)
	for _, c := range [][2]string{{"", head}, {head, "main"}, {"--upload-pack=x", head}} {
		_, err := r.Relate(t.Context(), c[0], c[1])
		wantFault(t, err, fault.Rejected, "full object names", "")
	}
	_, err := r.Between(t.Context(), head, "")
	wantFault(t, err, fault.Rejected, "full object names", "")
	_, err = r.Between(t.Context(), "", strings.Repeat("1", 40))
	wantFault(t, err, fault.Unreachable, "no commit", "")
}

func TestTooManyCommitsBetween(t *testing.T) {
	g := newRepo(t)
	first := g.next("first")
	g.next("second")
	last := g.next("third")
	r := follow(t, g.dir, func(o *source.Options) { o.Limits.Commits = 1 })
	wantRelation(t, r, first, last, source.Ahead)
	_, err := r.Between(t.Context(), first, last)
	wantFault(t, err, fault.Rejected, "more than 1 commits", "limits.commits")
}
