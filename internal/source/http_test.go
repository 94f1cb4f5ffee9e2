package source_test

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// plain permits http, as no other test server speaks TLS.
func plain(o *source.Options) { o.Auth.AllowHTTP = true }

// backend is the git program's own HTTP server for one repository.
func backend(t testing.TB, g *repo) http.Handler {
	t.Helper()
	return gitHandler(g.git("--exec-path"), g.dir)
}

// gitHandler serves the repositories below a directory; programs is where Git's are.
func gitHandler(programs, dir string) http.Handler {
	return &cgi.Handler{
		Path: filepath.Join(programs, "git-http-backend"),
		Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=/nonexistent",
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
		Stderr: os.Stderr,
	}
}

// site is an HTTP server whose URL ends with the repository's path.
type site struct {
	*httptest.Server
	URL      string
	requests atomic.Int64
	conns    atomic.Int64
}

func serve(t testing.TB, g *repo, wrap ...func(http.Handler) http.Handler) *site {
	return start(t, false, g, wrap...)
}

func start(t testing.TB, tls bool, g *repo, wrap ...func(http.Handler) http.Handler) *site {
	t.Helper()
	h := backend(t, g)
	for _, w := range wrap {
		h = w(h)
	}
	s := &site{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		h.ServeHTTP(w, r)
	}))
	s.Server.Config.ConnState = func(_ connection, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	s.URL = s.Server.URL + "/.git"
	return s
}

func TestHTTPRepository(t *testing.T) {
	g := newRepo(t)
	g.write("a/compose.yaml", "services: {}\n")
	old := g.commit("first")
	g.write("a/compose.yaml", "services: {web: {image: x}}\n")
	head := g.commit("second")
	r := follow(t, serve(t, g).URL, plain)
	s := load(t, r)
	if s.Revision.Commit != head || s.Revision.Subject != "second" || files(s) != "a/compose.yaml\n" {
		t.Errorf("got %+v with %q", s.Revision, files(s))
	}
	checkFiles(t, s)
	if s, err := r.Load(t.Context(), old); err != nil || s.Revision.Subject != "first" {
		t.Errorf("an older commit, which the server gives with the branch only: %+v, %v", s.Revision, err)
	}
	g.git("config", "uploadpack.allowReachableSHA1InWant", "true")
	if s, err := follow(t, serve(t, g).URL, plain).Load(t.Context(), old); err != nil || s.Revision.Subject != "first" {
		t.Errorf("an older commit, which the server gives by name: %+v, %v", s.Revision, err)
	}
}

func TestForcePush(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	g.commit("first")
	g.git("config", "uploadpack.allowReachableSHA1InWant", "true")
	r := follow(t, serve(t, g).URL, plain)
	before := load(t, r)
	g.write("a", "2")
	g.git("add", "-A")
	g.git("commit", "-q", "--amend", "-m", "rewritten")
	g.git("reflog", "expire", "--expire=now", "--all")
	g.git("gc", "-q", "--prune=now")
	after := load(t, r)
	if after.Revision.Commit == before.Revision.Commit || after.Revision.Subject != "rewritten" {
		t.Errorf("got %+v", after.Revision)
	}
	if s, err := r.Load(t.Context(), before.Revision.Commit); err != nil || s.Revision.Subject != "first" {
		t.Errorf("the snapshot from before: %v", err)
	}
	_, err := follow(t, serve(t, g).URL, plain).Load(t.Context(), before.Revision.Commit) // on another host
	wantFault(t, err, fault.Unreachable, "has no commit "+before.Revision.Commit, "force-push")
	pinned := follow(t, serve(t, g).URL, plain, func(o *source.Options) { o.Ref = config.Ref{Commit: before.Revision.Commit} })
	_, err = pinned.Load(t.Context(), before.Revision.Commit)
	wantFault(t, err, fault.Rejected, "has no commit", "repo.ref.commit")
}

func TestOnePollIsOneRequestOnOneConnection(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := serve(t, g)
	r := follow(t, s.URL, plain)
	for range 5 {
		if _, err := r.Resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s.requests.Load() != 5 || s.conns.Load() != 1 {
		t.Errorf("5 polls made %d requests on %d connections, want 5 on 1", s.requests.Load(), s.conns.Load())
	}
}

const token = "s3cr3t-t0ken"

// guarded wants the user ann with the token, and quotes what it got otherwise.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, ok := r.BasicAuth()
		if !ok || user != "ann" || pass != token {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "you sent "+pass, http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// private gives TLS, a CA file and a password file.
func private(t *testing.T, s *site, password string) func(*source.Options) {
	t.Helper()
	dir := t.TempDir()
	ca, pass := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	if err := os.WriteFile(ca, certificate(s), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pass, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *source.Options) {
		o.Auth = config.Auth{Username: "ann", PasswordFile: pass, CAFile: ca}
	}
}

func TestHTTPSWithLogin(t *testing.T) {
	g := newRepo(t)
	g.write("a", "1")
	g.commit("x")
	s := start(t, true, g, guarded)
	good := private(t, s, token)
	load(t, follow(t, s.URL, good))

	_, err := follow(t, s.URL, private(t, s, "wr0ng-w0rd")).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "login", "passwordFile")
	if strings.Contains(err.Error()+fault.Advice(err), "wr0ng-w0rd") {
		t.Errorf("the password is in the error: %v", err)
	}
	r := follow(t, s.URL, private(t, s, "wr0ng-w0rd"))
	_, err = r.Load(t.Context(), g.git("rev-parse", "HEAD"))
	wantFault(t, err, fault.Blocked, "login", "passwordFile")
	if strings.Contains(err.Error()+fault.Advice(err), "wr0ng-w0rd") {
		t.Errorf("the password is in the error: %v", err)
	}
	_, err = follow(t, s.URL, good, func(o *source.Options) { o.Auth.PasswordFile = "" }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "login", "set repo.auth.username")
	_, err = follow(t, s.URL, good, func(o *source.Options) { o.Auth.PasswordFile = "/nonexistent/token" }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "/nonexistent/token", "can be read")
	_, err = follow(t, s.URL, good, func(o *source.Options) { o.Auth.CAFile = "" }).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "certificate", "caFile")
	_, err = follow(t, s.URL, good, func(o *source.Options) { o.Auth.CAFile = o.Auth.PasswordFile }).Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "no certificate", "caFile")
}

func TestRotatedPasswordIsReadAnew(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := start(t, true, g, guarded)
	var file string
	set := private(t, s, "old")
	r := follow(t, s.URL, set, func(o *source.Options) { file = o.Auth.PasswordFile })
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, "login", "")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	load(t, r)
}

// TestCredentialsNeverFollowARedirect covers another host, another port, and
// from https to http.
func TestCredentialsNeverFollowARedirect(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	var leaked atomic.Int64
	count := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			leaked.Add(1)
			h.ServeHTTP(w, r)
		})
	}
	for text, thief := range map[string]*site{"to another host": start(t, true, g, count), `from "https" to "http"`: serve(t, g, count)} {
		s := start(t, true, g, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, thief.Server.URL+r.URL.RequestURI(), http.StatusFound)
			})
		})
		r := follow(t, s.URL, private(t, s, token))
		_, err := r.Resolve(t.Context())
		wantFault(t, err, fault.Unreachable, text, "set repo.url")
		_, err = r.Load(t.Context(), g.git("rev-parse", "HEAD"))
		wantFault(t, err, fault.Unreachable, text, "set repo.url")
	}
	if leaked.Load() != 0 {
		t.Errorf("%d requests reached the other host", leaked.Load())
	}
}

func TestRedirectWithinTheHostIsFollowed(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rest, old := strings.CutPrefix(r.URL.RequestURI(), "/old"); old {
				http.Redirect(w, r, rest, http.StatusMovedPermanently)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	load(t, follow(t, s.Server.URL+"/old/.git", plain))
}

func TestHTTPStatuses(t *testing.T) {
	g := newRepo(t)
	for status, want := range map[int]struct {
		class fault.Class
		text  string
	}{
		403: {fault.Blocked, "refused access"}, 404: {fault.Rejected, "no such repository"},
		429: {fault.Unreachable, "429"}, 500: {fault.Unreachable, "500"}, 503: {fault.Unreachable, "503"},
	} {
		s := serve(t, g, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<script>\x1b[31m", status) })
		})
		_, err := follow(t, s.URL, plain).Resolve(t.Context())
		wantFault(t, err, want.class, want.text, "")
		if strings.ContainsAny(err.Error(), "<\x1b") {
			t.Errorf("the server's page is in the error: %q", err)
		}
	}
}

func TestAnswersThatAreNoGit(t *testing.T) {
	g := newRepo(t)
	for name, answer := range map[string]string{
		"a page": "<html>log in to the hotel's network</html>", "nothing": "", "bad lengths": "zzzz", "cut": "001e# service=git-upload-pack\n00",
	} {
		s := serve(t, g, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		})
		_, err := follow(t, s.URL, plain).Resolve(t.Context())
		if fault.Of(err) != fault.Unreachable && fault.Of(err) != fault.Rejected {
			t.Errorf("%s: got %v (%v)", name, err, fault.Of(err))
		}
	}
}

func TestSilentServer(t *testing.T) {
	g := newRepo(t)
	head := g.commit("x")
	release := make(chan struct{})
	s := serve(t, g, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	})
	t.Cleanup(func() { close(release) }) // runs before the server is closed
	r := follow(t, s.URL, plain, func(o *source.Options) { o.Limits.FetchTime = config.Duration(500 * time.Millisecond) })
	_, err := r.Load(t.Context(), head)
	wantFault(t, err, fault.Unreachable, "took longer than 500ms", "limits.fetchTime")
}

func TestStoppedServer(t *testing.T) {
	g := newRepo(t)
	s := serve(t, g)
	s.Close()
	_, err := follow(t, s.URL, plain).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "refused", "")
}

// TestCutInMidPack: the next try starts from nothing and succeeds.
func TestCutInMidPack(t *testing.T) {
	g := newRepo(t)
	g.write("a", strings.Repeat("line\n", 10)+random(200<<10))
	g.commit("x")
	var cut atomic.Bool
	cut.Store(true)
	s := serve(t, g, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if cut.Load() && strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		})
	})
	r := follow(t, s.URL, plain)
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Unreachable, "fetch commit", "")
	cut.Store(false)
	if s, err := r.Load(t.Context(), commit); err != nil || len(s.Files) != 1 {
		t.Errorf("after the cut: %v", err)
	}
}

// TestACutIsNoReasonToFetchAllHistory: only a server that does not give a commit
// by its name is asked for the whole branch.
func TestACutIsNoReasonToFetchAllHistory(t *testing.T) {
	g := newRepo(t)
	g.write("a", random(64<<10))
	old := g.commit("first")
	g.write("a", "newer")
	g.commit("second")
	g.git("config", "uploadpack.allowReachableSHA1InWant", "true")
	var packs atomic.Int64
	cut := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "git-upload-pack") {
				h.ServeHTTP(w, r)
				return
			}
			packs.Add(1)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			panic(http.ErrAbortHandler)
		})
	}
	_, err := follow(t, serve(t, g, cut).URL, plain).Load(t.Context(), old)
	wantFault(t, err, fault.Unreachable, "fetch commit", "")
	if packs.Load() != 1 {
		t.Errorf("%d packs were asked for, want the one of the commit", packs.Load())
	}
	unwilling := func(h http.Handler) http.Handler { // it says that it gives commits by name, and does not
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "git-upload-pack") && packs.Add(1) == 1 {
				w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
				line := "ERR upload-pack: not our ref " + old
				_, _ = fmt.Fprintf(w, "%04x%s", len(line)+4, line)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	packs.Store(0)
	s, err := follow(t, serve(t, g, unwilling).URL, plain).Load(t.Context(), old)
	if err != nil || s.Revision.Subject != "first" {
		t.Errorf("with the branch: %+v, %v", s.Revision, err)
	}
	lost := strings.Repeat("1", 40)
	_, err = follow(t, serve(t, g).URL, plain).Load(t.Context(), lost)
	wantFault(t, err, fault.Unreachable, "no commit "+lost+" in branch main (any more)", "force-push")
	wantFault(t, err, fault.Unreachable, "not our ref", "")
}

func TestTooManyRefs(t *testing.T) {
	g := newRepo(t)
	line := "003e" + strings.Repeat("a", 40) + " refs/heads/aaaaaa\n"
	s := serve(t, g, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			_, _ = w.Write([]byte("001e# service=git-upload-pack\n0000"))
			for range (20 << 20) / len(line) {
				if _, err := w.Write([]byte(line)); err != nil {
					return
				}
			}
		})
	})
	_, err := follow(t, s.URL, plain).Resolve(t.Context())
	if fault.Of(err) == fault.Unknown || err == nil {
		t.Errorf("got %v (%v)", err, fault.Of(err))
	}
}
