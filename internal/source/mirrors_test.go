package source_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// memory keeps the accepted revision, as the record does, and who accepted one.
type memory struct {
	mu     sync.Mutex
	anchor source.Anchor
	words  []source.Word
}

func (m *memory) Anchor() (source.Anchor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.anchor, nil
}

func (m *memory) SetAnchor(a source.Anchor) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.anchor = a
	return nil
}

func (m *memory) Overrule(a source.Anchor, by source.Word) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.anchor, m.words = a, append(m.words, by)
	return nil
}

// switched is a server that can be turned off.
type switched struct {
	*site
	off atomic.Bool
}

func serveSwitched(t *testing.T, g *repo) *switched {
	t.Helper()
	s := &switched{}
	s.site = serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.off.Load() {
				http.Error(w, "down", http.StatusInternalServerError)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	return s
}

// copyOf is a repository with all that g has now.
func (r *repo) copyOf(t *testing.T) *repo {
	t.Helper()
	c := newRepo(t)
	c.git("config", "receive.denyCurrentBranch", "updateInstead")
	r.git("push", "-q", "--mirror", c.dir)
	c.git("reset", "-q", "--hard", "main")
	return c
}

// host follows repositories as an agent does: what it resolves it loads and accepts.
type host struct {
	t       *testing.T
	clock   atomic.Int64 // what it is ahead
	anchors *memory
	options []func(*source.Options)
	repo    *source.Repository
}

func newHost(t *testing.T, url string, mirrors []string, change ...func(*source.Options)) *host {
	t.Helper()
	h := &host{t: t, anchors: &memory{}}
	dir := t.TempDir()
	h.options = append([]func(*source.Options){plain, func(o *source.Options) {
		o.URL, o.Anchors, o.Dir = url, h.anchors, dir
		for _, m := range mirrors {
			o.Mirrors = append(o.Mirrors, config.Mirror{URL: m})
		}
		o.Now = func() time.Time { return time.Now().Add(time.Duration(h.clock.Load())) }
	}}, change...)
	h.restart()
	return h
}

// restart forgets all but the record.
func (h *host) restart(change ...func(*source.Options)) {
	h.t.Helper()
	h.options = append(h.options, change...)
	h.repo = follow(h.t, "/", h.options...)
}

// takes fails the test unless a poll brings this commit; it accepts it, and learns what
// came before.
func (h *host) takes(what, commit string) {
	h.t.Helper()
	h.brings(h.t.Context(), what, commit)
	if err := h.repo.Learn(h.t.Context()); err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
}

// brings fails the test unless a poll brings this commit, and accepts it.
func (h *host) brings(ctx context.Context, what, commit string) {
	h.t.Helper()
	got, err := h.repo.Resolve(ctx)
	if err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	if got != commit {
		h.t.Fatalf("%s: got %.10s, want %.10s", what, got, commit)
	}
	if _, err := h.repo.Load(ctx, got); err != nil {
		h.t.Fatalf("%s: %v", what, err)
	}
	if err := h.repo.Accept(got); err != nil {
		h.t.Fatal(err)
	}
}

// refuses fails the test unless a poll brings nothing, for this reason.
func (h *host) refuses(what string, class fault.Class, texts ...string) {
	h.t.Helper()
	got, err := h.repo.Resolve(h.t.Context())
	if err == nil {
		h.t.Fatalf("%s: took %.10s", what, got)
	}
	for _, text := range texts {
		if fault.Of(err) != class || !strings.Contains(err.Error()+"\n"+fault.Advice(err), text) {
			h.t.Errorf("%s: got %q (%v, hint %q), want %q (%v)", what, err, fault.Of(err), fault.Advice(err), text, class)
		}
	}
}

// states are the words of the remotes, in order.
func (h *host) states(what, want string) {
	h.t.Helper()
	var got []string
	for _, r := range h.repo.Remotes() {
		got = append(got, string(r.State))
	}
	if s := strings.Join(got, " "); s != want {
		h.t.Errorf("%s: the remotes are %q, want %q", what, s, want)
	}
}

// later lets time pass.
func (h *host) later(d time.Duration) { h.clock.Add(int64(d)) }

func TestTheFirstThatAnswersServes(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	url, mirror := serveSwitched(t, g), serveSwitched(t, g)
	h := newHost(t, url.URL, []string{mirror.URL})
	h.takes("at first", first)
	h.takes("at the next poll", first)
	if n := mirror.requests.Load(); n != 0 {
		t.Errorf("the mirror was asked %d times while repo.url serves", n)
	}
	h.states("with both", "serving standby")

	url.off.Store(true)
	second := g.commit("second")
	url.requests.Store(0)
	h.takes("from the mirror", second)
	h.states("with repo.url down", "unreachable serving")
	h.takes("at the next poll", second)
	if n := url.requests.Load(); n != 1 {
		t.Errorf("repo.url was asked %d times in two polls, want once: it is left alone for a while", n)
	}
	if until := h.repo.Remotes()[0].Until; until.IsZero() {
		t.Error("nobody says when repo.url is asked again")
	}
	url.off.Store(false)
	h.later(time.Minute)
	h.takes("after a while", second)
	h.states("after a while", "serving standby")

	url.off.Store(true)
	h.takes("from the mirror again", second)
	url.off.Store(false)
	h.repo.Forget()
	h.takes("when somebody asks", second)
	h.states("when somebody asks", "serving standby")
}

func TestAllThatAreDownAreNamed(t *testing.T) {
	g := newRepo(t)
	head := g.commit("first")
	url, mirror := serveSwitched(t, g), serveSwitched(t, g)
	h := newHost(t, url.URL, []string{mirror.URL})
	url.off.Store(true)
	mirror.off.Store(true)
	h.refuses("with both down", fault.Unreachable, "no remote serves", url.URL, mirror.URL, "500")
	h.refuses("once more", fault.Unreachable, url.URL, mirror.URL) // nobody is left alone where nobody serves
	mirror.off.Store(false)
	h.takes("when one is back", head)
}

// TestAMirrorThatIsBehindBringsNoHostBackInTime: neither after a restart.
func TestAMirrorThatIsBehindBringsNoHostBackInTime(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	old := g.copyOf(t)
	second := g.commit("second")
	url, mirror := serveSwitched(t, g), serve(t, old)
	h := newHost(t, url.URL, []string{mirror.URL})
	h.takes("at first", second)
	url.off.Store(true)
	h.refuses("with repo.url down", fault.Unreachable, "stale: branch main is at "+first[:10]+", which is older than "+second[:10], mirror.URL)
	h.states("with repo.url down", "unreachable stale")
	if r := h.repo.Remotes()[1]; r.Head != first || r.Answered.IsZero() || !strings.Contains(r.Reason, "older") {
		t.Errorf("the mirror is %+v", r)
	}
	h.restart()
	h.refuses("after a restart", fault.Unreachable, "stale")
	old.git("pull", "-q", "--ff-only", g.dir, "main")
	h.takes("when the mirror has caught up", second)
	third := old.commit("third")
	h.takes("when the mirror is ahead", third)
	url.off.Store(false)
	h.repo.Forget()
	h.takes("from the mirror, for repo.url is behind now", third)
	h.states("with repo.url behind", "stale serving")
}

// TestARewrittenHistoryIsRefused: what is followed stays.
func TestARewrittenHistoryIsRefused(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	old := g.commit("second")
	mirror := g.copyOf(t)
	url := serve(t, g)
	alone := newHost(t, url.URL, nil)
	alone.takes("at first", old)
	both := newHost(t, url.URL, []string{serve(t, mirror).URL})
	both.takes("at first", old)

	g.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
	forced := g.git("rev-parse", "HEAD")
	alone.refuses("after a force-push", fault.Blocked, url.URL, forced[:10], "does not descend from "+old[:10], "--accept-rewrite "+forced[:10])
	alone.states("after a force-push", "diverged")
	both.takes("from the mirror", old)
	both.states("with the mirror", "diverged serving")

	ann := source.Word{Who: "ann", Reason: "it was meant"}
	for _, wrong := range []string{"", forced[:6], strings.Repeat("0", 40), "HEAD"} {
		if _, err := alone.repo.AcceptRewrite(wrong, ann); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), forced[:10]) {
			t.Errorf("accepting %q: %v, hint %q", wrong, err, fault.Advice(err))
		}
	}
	if got, err := alone.repo.AcceptRewrite(strings.ToUpper(forced[:12]), ann); err != nil || got != forced {
		t.Fatalf("accepting it: %s, %v", got, err)
	}
	if kept := alone.anchors; kept.anchor.Commit != forced || !slices.Equal(kept.words, []source.Word{ann}) {
		t.Errorf("kept is %+v", kept)
	}
	alone.takes("once it is accepted", forced)
	alone.restart()
	alone.takes("after a restart", forced)
	g.git("reset", "-q", "--hard", old)
	alone.refuses("back to the first history", fault.Blocked, "does not descend")
	both.restart(func(o *source.Options) { o.AllowRewrite = true })
	g.git("reset", "-q", "--hard", forced)
	both.takes("where rewrites are allowed", forced)
}

// TestAllowedRewritesLetNoMirrorGoBack: also where nobody can tell that it does, as on
// another machine that takes the host over.
func TestAllowedRewritesLetNoMirrorGoBack(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	old := g.copyOf(t)
	second := g.commit("second")
	url, mirror := serveSwitched(t, g), serve(t, old)
	h := newHost(t, url.URL, []string{mirror.URL}, func(o *source.Options) { o.AllowRewrite = true })
	h.takes("at first", second)
	url.off.Store(true)
	h.refuses("while the history is known", fault.Unreachable, "stale")
	h.restart(func(o *source.Options) { o.Dir = filepath.Join(t.TempDir(), "another") })
	h.refuses("where it is not", fault.Blocked, "cannot be told", "--accept-rewrite")
	h.states("where it is not", "unreachable unproven")
	url.off.Store(false)
	g.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
	forced := g.git("rev-parse", "HEAD")
	g.git("reflog", "expire", "--expire=now", "--all")
	g.git("gc", "-q", "--prune=now")
	h.repo.Forget()
	h.takes("what repo.url says", forced)
}

// TestAPersonsWordOutlivesAPollUnderWay: what that was given by a mirror was held
// against what had been accepted before.
func TestAPersonsWordOutlivesAPollUnderWay(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	old := g.commit("second")
	mirror := g.copyOf(t)
	h := newHost(t, serve(t, g).URL, []string{serve(t, mirror).URL})
	h.takes("at first", old)
	g.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
	forced := g.git("rev-parse", "HEAD")
	given, err := h.repo.Resolve(t.Context())
	if err != nil || given != old {
		t.Fatalf("the poll is given %.10s, %v", given, err)
	}
	if _, err := h.repo.AcceptRewrite(forced, source.Word{Who: "ann", Reason: "it was meant"}); err != nil {
		t.Fatal(err)
	}
	if err := h.repo.Accept(given); fault.Of(err) != fault.Unreachable || h.repo.Anchored() != forced {
		t.Errorf("the poll goes on: %v; accepted is %.10s, want %.10s", err, h.repo.Anchored(), forced)
	}
	h.takes("at the next poll", forced)
	if err := h.repo.Accept(forced); err != nil {
		t.Errorf("what is accepted already: %v", err)
	}
}

// TestARewriteThatTheOldCommitIsLostIn: the server has forgotten what was accepted.
func TestARewriteThatTheOldCommitIsLostIn(t *testing.T) {
	g := newRepo(t)
	g.commit("first")
	h := newHost(t, serve(t, g).URL, nil)
	h.takes("at first", g.commit("second"))
	g.git("commit", "-q", "--amend", "--allow-empty", "-m", "rewritten")
	g.git("reflog", "expire", "--expire=now", "--all")
	g.git("gc", "-q", "--prune=now")
	h.refuses("after a force-push", fault.Blocked, "accepted before")
	unrelated := newRepo(t)
	unrelated.commit("another beginning")
	g.git("fetch", "-q", unrelated.dir, "main")
	g.git("reset", "-q", "--hard", "FETCH_HEAD")
	h.refuses("an unrelated history", fault.Blocked, "accepted before")
}

func TestNothingOfABranchThatIsGoneIsFollowed(t *testing.T) {
	g := newRepo(t)
	head := g.commit("first")
	h := newHost(t, serve(t, g).URL, nil)
	h.takes("at first", head)
	g.git("branch", "-q", "-m", "main", "trunk")
	h.refuses("a deleted branch", fault.Rejected, "no branch main", "trunk")
	h.states("a deleted branch", "missing")
	g.git("update-ref", "-d", "refs/heads/trunk")
	h.refuses("an emptied repository", fault.Rejected, "no commits")
	if got := h.repo.Anchored(); got != head {
		t.Errorf("%q is held on to, want %s", got, head)
	}
	if s, err := h.repo.Accepted(t.Context()); err != nil || s.Revision.Commit != head {
		t.Errorf("the files of what was accepted: %+v, %v", s.Revision, err)
	}
}

func TestATagThatIsMovedIsRefused(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	g.git("tag", "v1")
	h := newHost(t, serve(t, g).URL, nil, func(o *source.Options) { o.Ref = config.Ref{Tag: "v1"} })
	h.takes("at first", first)
	second := g.commit("second")
	g.git("tag", "-f", "-a", "-m", "moved on", "v1")
	h.refuses("a tag that was moved", fault.Blocked, "tag v1 was moved: it named "+first[:10]+", and names "+second[:10]+" now")
	h.states("a tag that was moved", "moved")
	h.restart(func(o *source.Options) { o.AllowRewrite = true })
	h.takes("where that is allowed", second)
	g.git("tag", "-f", "v1", first)
	h.refuses("a tag that is moved back", fault.Unreachable, "older")
	if _, err := h.repo.AcceptRewrite(first[:7], source.Word{Who: "ann"}); err != nil {
		t.Fatal(err)
	}
	h.takes("where a person says so", first)
	g.git("tag", "-d", "v1")
	h.refuses("a tag that is gone", fault.Rejected, "no tag v1")
}

func TestTheHighestTagInTheRangeIsFollowed(t *testing.T) {
	g := newRepo(t)
	commits := map[string]string{}
	tag := func(name string, args ...string) {
		t.Helper()
		commits[name] = g.commit(name)
		g.git(append(append([]string{"tag"}, args...), name)...)
	}
	for _, name := range []string{"v1.1.9", "v1.2.0", "1.10.0", "v1.3", "v2.0.0-rc.1", "v2.0.0", "nightly", "v1.99.0-beta"} {
		tag(name)
	}
	for name, url := range map[string]string{"http": serve(t, g).URL, "local": g.dir} {
		t.Run(name, func(t *testing.T) {
			for within, want := range map[string]string{
				">=1.2 <2": "1.10.0", "~1.2": "v1.2.0", "1.x": "1.10.0", "^1.3": "1.10.0", "*": "v2.0.0", ">=1.2-0 <2-0": "v1.99.0-beta", "1.1.9 || 1.3": "v1.3",
			} {
				h := newHost(t, url, nil, func(o *source.Options) { o.Ref = config.Ref{Semver: within} })
				h.takes(within, commits[want])
				if s, err := h.repo.Accepted(t.Context()); err != nil || s.Revision.Ref != want {
					t.Errorf("%s is shown as %q (%v), want %q", within, s.Revision.Ref, err, want)
				}
			}
			newHost(t, url, nil, func(o *source.Options) { o.Ref = config.Ref{Semver: ">=3"} }).refuses("an empty range", fault.Rejected, "no tag in the range >=3", "v2.0.0")
		})
	}
	_, err := source.Open(source.Options{URL: "/x", Ref: config.Ref{Semver: "newest"}})
	wantFault(t, err, fault.Rejected, "no range of versions", ">=1.2 <2")

	h := newHost(t, serve(t, g).URL, nil, func(o *source.Options) { o.Ref = config.Ref{Semver: ">=1.2 <2"} })
	h.takes("at first", commits["1.10.0"])
	g.git("checkout", "-q", "--orphan", "maintenance")
	tag("v1.11.0", "-a", "-m", "annotated")
	h.takes("a higher version, of whatever branch", commits["v1.11.0"])
	g.git("tag", "-f", "v1.11.0", commits["v1.2.0"])
	h.refuses("a tag that was moved", fault.Blocked, "tag v1.11.0 was moved")
	g.git("tag", "-d", "v1.11.0")
	h.refuses("a tag that is gone", fault.Unreachable, "stale: the highest tag in >=1.2 <2 is 1.10.0, below v1.11.0")
	h.restart(func(o *source.Options) { o.Ref = config.Ref{Semver: "~1.2"} })
	h.takes("a range that a person changed", commits["v1.2.0"])
}

// TestWhatAPersonChoosesIsNoRewrite: another branch, or another repository.
func TestWhatAPersonChoosesIsNoRewrite(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	g.git("branch", "stable")
	second := g.commit("second")
	h := newHost(t, serve(t, g).URL, nil)
	h.takes("at first", second)
	h.restart(func(o *source.Options) { o.Ref = config.Ref{Commit: first} })
	h.takes("a fixed commit", first)
	h.restart(func(o *source.Options) { o.Ref = config.Ref{Branch: "main"} })
	g.git("reset", "-q", "--hard", first)
	h.refuses("the branch, which has gone back meanwhile", fault.Unreachable, "stale")
	h.restart(func(o *source.Options) { o.Ref = config.Ref{Branch: "stable"} })
	h.takes("another branch, which is behind", first)

	other := newRepo(t)
	begun := other.commit("a new beginning")
	h.restart(func(o *source.Options) { o.Ref = config.Ref{Branch: "main"} })
	g.git("reset", "-q", "--hard", second)
	h.takes("the first branch", second)
	old := g.copyOf(t)
	old.git("reset", "-q", "--hard", first)
	h.restart(func(o *source.Options) { o.URL = serve(t, old).URL })
	h.refuses("the same repository elsewhere, behind", fault.Unreachable, "stale")
	h.restart(func(o *source.Options) { o.URL = serve(t, other).URL })
	h.takes("another repository", begun)
}

// TestACommitIsFetchedFromWhoeverHasIt: who named it first.
func TestACommitIsFetchedFromWhoeverHasIt(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	g.commit("first")
	url, mirror := serveSwitched(t, g), serve(t, g)
	r := newHost(t, url.URL, []string{mirror.URL}).repo
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url.off.Store(true)
	if s, err := r.Load(t.Context(), commit); err != nil || files(s) != "a\n" {
		t.Errorf("from the mirror: %v", err)
	}
	g.write("a", "2")
	head := g.commit("second")
	if got, err := r.ResolveRef(t.Context(), "main"); err != nil || got != head {
		t.Errorf("what a person asks for: %s, %v", got, err)
	}
	mirror.Close()
	_, err = r.Load(t.Context(), head)
	wantFault(t, err, fault.Unreachable, "fetch commit "+head[:10]+" of "+mirror.URL, "")
}

func TestAServerThatAsksToBeLeftAloneIs(t *testing.T) {
	g := newRepo(t)
	head := g.commit("first")
	var header atomic.Value
	header.Store("600")
	busy := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if after, _ := header.Load().(string); after != "" {
				w.Header().Set("Retry-After", after)
				http.Error(w, "slow down", http.StatusTooManyRequests)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	h := newHost(t, busy.URL, nil)
	h.refuses("at first", fault.Unreachable, "429", "left alone for 10m0s")
	h.refuses("at the next poll", fault.Unreachable, "left alone")
	h.later(9 * time.Minute)
	h.refuses("after nine minutes", fault.Unreachable, "left alone")
	if n := busy.requests.Load(); n != 1 {
		t.Errorf("it was asked %d times, want once", n)
	}
	header.Store("999999999999")
	h.later(2 * time.Minute)
	h.refuses("when its time is over", fault.Unreachable, "15m0s") // that is the longest
	header.Store("")
	h.repo.Forget()
	h.takes("when somebody asks", head)
}

// TestATagThatNamesTheSameCommitIsKnownWhenItMoves: what was accepted is known by the
// highest tag that names it, whatever else somebody asked for the commit by.
func TestATagThatNamesTheSameCommitIsKnownWhenItMoves(t *testing.T) {
	g := newRepo(t)
	commit := g.commit("release")
	g.git("tag", "v1.3.0-rc.1")
	h := newHost(t, serve(t, g).URL, nil, func(o *source.Options) { o.Ref = config.Ref{Semver: ">=1.3.0-0"} })
	h.takes("the candidate", commit)
	g.git("tag", "v1.3.0")
	h.takes("the release, which is the same commit", commit)
	if _, err := h.repo.ResolveRef(t.Context(), "main"); err != nil {
		t.Fatal(err)
	}
	h.restart()
	g.commit("another")
	g.git("tag", "-f", "v1.3.0")
	h.refuses("a tag that was moved", fault.Blocked, "tag v1.3.0 was moved")
}

// TestWhatIsNamedAndNotFollowedIsCounted once, however many polls see it.
func TestWhatIsNamedAndNotFollowedIsCounted(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	url, mirror := serveSwitched(t, g), g.copyOf(t)
	h := newHost(t, url.URL, []string{mirror.dir})
	h.takes("at first", g.commit("second"))
	url.off.Store(true)
	for range 3 {
		h.refuses("a mirror that is behind", fault.Unreachable, "older")
	}
	for _, message := range []string{"rewritten", "and once more"} {
		mirror.git("commit", "-q", "--amend", "--allow-empty", "-m", message)
		h.refuses("another history", fault.Blocked, "does not descend")
		h.refuses("another history", fault.Blocked, "does not descend")
	}
	mirror.git("reset", "-q", "--hard", first)
	h.refuses("a mirror that is behind again", fault.Unreachable, "older")
	remotes := h.repo.Remotes()
	if r := remotes[1].Refused; len(remotes[0].Refused) != 0 || len(r) != 2 || r[source.RemoteStale] != 2 || r[source.RemoteDiverged] != 2 {
		t.Errorf("counted were %v and %v", remotes[0].Refused, r)
	}
}
