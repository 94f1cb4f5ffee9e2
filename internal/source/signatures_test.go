package source_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/verify"
)

// signers is a repository, whose signatures are asked for by files that a person
// keeps beside it.
type signers struct {
	*repo
	verify  config.Verify
	anchors *memory
}

// newSigners has a key "ann" that is listed, and one "eve" that is not.
func newSigners(t testing.TB) *signers {
	t.Helper()
	if testing.Short() {
		t.Skip("runs git and ssh-keygen")
	}
	keys := t.TempDir()
	s := &signers{repo: newRepo(t), anchors: &memory{}}
	s.verify.SSH.AllowedSignersFile = filepath.Join(keys, "allowed")
	s.verify.SSH.RevokedFile = filepath.Join(keys, "revoked")
	for _, name := range []string{"ann", "eve"} {
		out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(keys, name)).CombinedOutput()
		if err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	s.list(s.verify.SSH.AllowedSignersFile, "ann@example.com "+s.public("ann"))
	s.list(s.verify.SSH.RevokedFile, "")
	return s
}

func (s *signers) key(name string) string {
	return filepath.Join(filepath.Dir(s.verify.SSH.AllowedSignersFile), name)
}

func (s *signers) public(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(s.key(name) + ".pub")
	if err != nil {
		s.t.Fatal(err)
	}
	return string(data)
}

func (s *signers) fingerprint(name string) string {
	s.t.Helper()
	out, err := exec.Command("ssh-keygen", "-l", "-f", s.key(name)).Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.Fields(string(out))[1]
}

func (s *signers) list(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// as runs git with somebody's key; nobody's is "".
func (s *signers) as(who string, args ...string) string {
	s.t.Helper()
	settings := []string{"-c", "gpg.format=ssh", "-c", "user.signingkey=" + s.key(who)}
	return s.git(append(settings, args...)...)
}

// by commits something in somebody's name, and returns the commit.
func (s *signers) by(who, file string) string {
	s.t.Helper()
	s.write(file, file)
	s.git("add", "-A")
	if who == "" {
		s.git("commit", "-q", "-m", file)
	} else {
		s.as(who, "commit", "-q", "-S", "-m", file)
	}
	return s.git("rev-parse", "HEAD")
}

// follow opens the repository with its signatures asked for.
func (s *signers) follow(url string, change ...func(*source.Options)) *source.Repository {
	s.t.Helper()
	return follow(s.t, url, append([]func(*source.Options){func(o *source.Options) { o.Verify, o.Anchors = &s.verify, s.anchors }}, change...)...)
}

// ways runs a test in place, over HTTP and over SSH.
func signedWays(t *testing.T, f func(t *testing.T, s *signers, r *source.Repository)) {
	t.Helper()
	t.Run("local", func(t *testing.T) {
		s := newSigners(t)
		f(t, s, s.follow(s.dir))
	})
	t.Run("http", func(t *testing.T) {
		s := newSigners(t)
		s.filters()
		f(t, s, s.follow(serve(t, s.repo).URL, plain))
	})
	t.Run("ssh", func(t *testing.T) {
		s, server := newSigners(t), serveSSH(t)
		f(t, s, s.follow(server.url(s.repo), server.login(t, server.client, server.host.PublicKey(), "")))
	})
}

// brings has a courier bring all that is new in the repository.
func (s *signers) brings(in incoming) {
	s.t.Helper()
	in.put("all.bundle", s.bundle("--all"), 0)
}

// again asks once more where nobody answered, as the agent does: a server that is
// done before it has heard the whole question breaks off an SSH connection.
func again[T any](ask func() (T, error)) (T, error) {
	out, err := ask()
	for range 4 {
		if fault.Of(err) != fault.Unreachable {
			break
		}
		out, err = ask()
	}
	return out, err
}

// brought resolves and loads.
func brought(t testing.TB, r *source.Repository) source.Snapshot {
	t.Helper()
	s, err := again(func() (source.Snapshot, error) {
		commit, err := r.Resolve(t.Context())
		if err != nil {
			return source.Snapshot{}, err
		}
		return r.Load(t.Context(), commit)
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// accepted resolves, loads and accepts, as the agent does.
func accepted(t testing.TB, r *source.Repository) source.Snapshot {
	t.Helper()
	s := brought(t, r)
	if err := r.Accept(s.Revision.Commit); err != nil {
		t.Fatal(err)
	}
	return s
}

// refused wants what is followed now to be rejected, and its files not to be fetched.
func refused(t testing.TB, r *source.Repository, commit string, words ...string) {
	t.Helper()
	_, err := again(func() (string, error) { return r.Resolve(t.Context()) })
	for _, w := range append(words, "revision "+commit[:10]+" is not accepted") {
		wantFault(t, err, fault.Rejected, w, "")
	}
	if fault.Advice(err) == "" {
		t.Errorf("%v has no hint", err)
	}
	if _, err := again(func() (source.Snapshot, error) { return r.Load(t.Context(), commit) }); fault.Of(err) != fault.Rejected {
		t.Errorf("load all the same: %v (%v), want rejected", err, fault.Of(err))
	}
}

// TestOnlySignedRevisionsAreLoaded is the rule of the whole.
func TestOnlySignedRevisionsAreLoaded(t *testing.T) {
	signedWays(t, func(t *testing.T, s *signers, r *source.Repository) {
		s.by("", "before anybody signed")
		s.by("ann", "a")
		got := accepted(t, r).Revision.Signer
		if want := (verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Key: s.fingerprint("ann")}); got != want {
			t.Errorf("signed by %+v, want %+v", got, want)
		}
		refused(t, r, s.by("", "b"), "is not signed")
		refused(t, r, s.by("eve", "c"), s.fingerprint("eve"), "does not list")
		s.by("ann", "d")
		accepted(t, r)
		s.list(s.verify.SSH.RevokedFile, s.public("ann"))
		refused(t, r, s.git("rev-parse", "HEAD"), s.fingerprint("ann"), "revoked (by its key)")
		s.list(s.verify.SSH.RevokedFile, "")
		brought(t, r)
		s.list(s.verify.SSH.AllowedSignersFile, "eve "+s.public("eve"))
		refused(t, r, s.git("rev-parse", "HEAD"), s.fingerprint("ann"), "does not list")
	})
}

func TestEveryCommitSinceTheAcceptedOneIsSigned(t *testing.T) {
	signedWays(t, func(t *testing.T, s *signers, r *source.Repository) {
		s.verify.Mode = "every"
		s.by("", "before anybody signed")
		s.by("ann", "a")
		accepted(t, r)
		s.by("ann", "b")
		s.by("ann", "c")
		good := s.git("rev-parse", "HEAD")
		accepted(t, r)
		bad := s.by("", "d")
		refused(t, r, s.by("ann", "e"), "commit "+bad[:10]+" is not signed")
		s.git("reset", "-q", "--hard", good)
		s.git("checkout", "-q", "-b", "side")
		side := s.by("eve", "f")
		s.git("checkout", "-q", "main")
		s.by("ann", "g")
		s.as("ann", "merge", "-q", "--no-ff", "-S", "-m", "a merge", "side")
		refused(t, r, s.git("rev-parse", "HEAD"), "commit "+side[:10], s.fingerprint("eve"))
		s.git("reset", "-q", "--hard", good)
		s.git("checkout", "-q", "-b", "other")
		s.by("ann", "h")
		s.git("checkout", "-q", "main")
		s.by("ann", "i")
		s.git("merge", "-q", "--no-ff", "-m", "a merge that nobody signed", "other")
		merge := s.git("rev-parse", "HEAD")
		refused(t, r, s.by("ann", "j"), "commit "+merge[:10]+" is not signed")
		s.git("reset", "-q", "--hard", merge+"^")
		s.as("ann", "merge", "-q", "--no-ff", "-S", "-m", "a merge", "other")
		accepted(t, r)
		s.verify.Mode = "head"
		s.by("", "k")
		s.by("ann", "l")
		if err := r.Vouch(t.Context(), s.git("rev-parse", "HEAD")); err != nil {
			t.Errorf("in mode head: %v", err)
		}
	})
}

func TestASignedTagStandsForItsCommit(t *testing.T) {
	for _, c := range []struct {
		tags, commit, tag string
		why               string
		signer            verify.Signer
	}{
		{tags: "tag", tag: "ann", signer: verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Tag: "v1.0.0"}},
		{tags: "tag", commit: "ann", why: "tag v1.0.0 ("},
		{tags: "tag", commit: "ann", tag: "eve", why: "does not list"},
		{tags: "tag", commit: "ann", tag: "light", why: "a lightweight one, which nobody can sign"},
		{tags: "tag", tag: "renamed", why: "tag v1.0.0 is in truth tag v9 ("},
		{tags: "both", tag: "ann", why: "is not signed"},
		{tags: "both", commit: "ann", tag: "", why: "tag v1.0.0 ("},
		{tags: "both", commit: "ann", tag: "ann", signer: verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Tag: "v1.0.0"}},
		{tags: "commit", tag: "ann", why: "is not signed"},
		{tags: "", commit: "ann", tag: "light", signer: verify.Signer{Kind: verify.SSH, Name: "ann@example.com"}},
		{tags: "tag", tag: "nested", why: "tag v1.0.0 ("},
		{tags: "tag", tag: "nested by ann", signer: verify.Signer{Kind: verify.SSH, Name: "ann@example.com", Tag: "v1.0.0"}},
	} {
		t.Run(c.tags+" "+c.commit+" "+c.tag, func(t *testing.T) {
			s := newSigners(t)
			s.verify.Tags = c.tags
			commit := s.by(c.commit, "a")
			s.release(c.tag)
			for _, ref := range []config.Ref{{Tag: "v1.0.0"}, {Semver: "^1"}} {
				r := s.follow(s.dir, func(o *source.Options) { o.Ref = ref })
				if c.why != "" {
					refused(t, r, commit, c.why)
					continue
				}
				c.signer.Key = s.fingerprint("ann")
				if got := brought(t, r).Revision.Signer; got != c.signer {
					t.Errorf("signed by %+v, want %+v", got, c.signer)
				}
			}
		})
	}
}

// Tag objects come over the network, too.
func TestTagsAreFetched(t *testing.T) {
	signedWays(t, func(t *testing.T, s *signers, r *source.Repository) {
		s.verify.Tags = "tag"
		commit := s.by("", "a")
		s.release("nested by ann")
		r = source.Refollow(t, r, config.Ref{Tag: "v1.0.0"})
		if got := brought(t, r).Revision.Signer.Tag; got != "v1.0.0" {
			t.Errorf("signed is tag %q", got)
		}
		s.git("tag", "light")
		refused(t, source.Refollow(t, r, config.Ref{Tag: "light"}), commit, "a lightweight one")
	})
}

// release makes the tag v1.0.0 at HEAD: by somebody, by nobody, or in a way of its own.
func (s *signers) release(how string) {
	s.t.Helper()
	switch how {
	case "light":
		s.git("tag", "v1.0.0")
	case "":
		s.git("tag", "-a", "-m", "a release", "v1.0.0")
	case "renamed":
		s.as("ann", "tag", "-s", "-m", "a release", "v9")
		s.git("update-ref", "refs/tags/v1.0.0", "refs/tags/v9")
	case "nested":
		s.as("ann", "tag", "-s", "-m", "a release", "inner")
		s.git("tag", "-a", "-m", "a tag of it", "v1.0.0", "inner")
	case "nested by ann":
		s.git("tag", "-a", "-m", "a release", "inner")
		s.as("ann", "tag", "-s", "-m", "a tag of it", "v1.0.0", "inner")
	default:
		s.as(how, "tag", "-s", "-m", "a release", "v1.0.0")
	}
}

// What was looked at once is not fetched at each poll, whatever came of it.
func TestARefusedRevisionCostsNoMoreThanTheQuestion(t *testing.T) {
	s := newSigners(t)
	var count atomic.Int64
	server := serve(t, s.repo, packs(&count, func(string) {}))
	r := s.follow(server.URL, plain)
	s.by("ann", "a")
	accepted(t, r)
	commit := s.by("", "b")
	refused(t, r, commit, "is not signed")
	before := count.Load()
	for range 5 {
		refused(t, r, commit, "is not signed")
	}
	if n := count.Load() - before; n != 0 {
		t.Errorf("five polls fetched %d packs", n)
	}
	if slices.Contains(names(t, r.Cache()), commit) {
		t.Error("the files of an unsigned revision are here")
	}
}

// A mirror that somebody took over cannot stand in the way of the others.
func TestAnUntrustedMirrorIsPassedOver(t *testing.T) {
	s := newSigners(t)
	first := s.by("ann", "a")
	mirror := &repo{t, t.TempDir()}
	mirror.git("clone", "-q", s.dir, ".")
	mirror.write("evil", "x")
	mirror.commit("evil")
	r := s.follow(mirror.dir, func(o *source.Options) { o.Mirrors = []config.Mirror{{URL: s.dir}} })
	if got := accepted(t, r).Revision.Commit; got != first {
		t.Errorf("got %s, want %s", got, first)
	}
	states := r.Remotes()
	if states[0].State != source.RemoteUntrusted || !strings.Contains(states[0].Reason, "is not signed") || states[1].State != source.RemoteServing {
		t.Errorf("remotes: %+v", states)
	}
}

// An old commit is as well signed as ever: what keeps it out is that a newer one was
// accepted.
func TestAnOldSignedRevisionIsNotReplayed(t *testing.T) {
	s := newSigners(t)
	old := s.by("ann", "a")
	s.by("ann", "b")
	r := s.follow(s.dir)
	accepted(t, r)
	s.git("reset", "-q", "--hard", old)
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "stale", "")
	again := s.follow(s.dir) // after a restart, too
	_, err = again.Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "stale", "")
}

func TestKeyFilesThatCannotBeUsed(t *testing.T) {
	s := newSigners(t)
	commit := s.by("ann", "a")
	r := s.follow(s.dir)
	s.list(s.verify.SSH.AllowedSignersFile, "ann\n")
	_, err := r.Resolve(t.Context())
	wantFault(t, err, fault.Blocked, s.verify.SSH.AllowedSignersFile+":1: ", "ssh-keygen(1)")
	if err := os.Remove(s.verify.SSH.AllowedSignersFile); err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Blocked, "read repo.verify.ssh.allowedSignersFile: ", "check that the file exists")
	s.list(s.verify.SSH.AllowedSignersFile, "ann "+s.public("ann"))
	load(t, r)
	for _, v := range []config.Verify{{}, {SSH: config.VerifySSH{RevokedFile: "/x"}, OpenPGP: config.VerifyOpenPGP{KeyringFiles: []string{"/y"}}}} {
		_, err := source.Open(source.Options{URL: s.dir, Verify: &v})
		wantFault(t, err, fault.Rejected, "repo.verify", "repo.verify.ssh.allowedSignersFile")
	}
}

func TestACommitByNameIsVerifiedToo(t *testing.T) {
	s := newSigners(t)
	good := s.by("ann", "a")
	bad := s.by("", "b")
	load(t, s.follow(s.dir, func(o *source.Options) { o.Ref = config.Ref{Commit: good} }))
	refused(t, s.follow(s.dir, func(o *source.Options) { o.Ref = config.Ref{Commit: bad} }), bad, "is not signed")
	r := s.follow(s.dir)
	commit, err := r.ResolveRef(t.Context(), bad)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Rejected, "is not signed", "")
}

// What a courier brings goes the same way.
func TestBundlesAreVerified(t *testing.T) {
	s, in := newSigners(t), arrivals(t)
	r := s.follow(in.url())
	s.by("ann", "a")
	s.brings(in)
	if got := accepted(t, r).Revision.Signer.Name; got != "ann@example.com" {
		t.Errorf("signed by %q", got)
	}
	commit := s.by("eve", "b")
	s.brings(in)
	refused(t, r, commit, s.fingerprint("eve"), "does not list")
	s.verify.Tags = "tag"
	s.release("ann")
	s.git("tag", "light")
	s.brings(in)
	if got := brought(t, source.Refollow(t, r, config.Ref{Tag: "v1.0.0"})).Revision.Signer.Tag; got != "v1.0.0" {
		t.Errorf("signed is tag %q", got)
	}
	refused(t, source.Refollow(t, r, config.Ref{Tag: "light"}), commit, "a lightweight one")
}

// A signature covers the files: others that lie where they were fetched to, and are
// listed well, are not taken for them.
func TestFilesThatNobodySignedAreNotUsed(t *testing.T) {
	s := newSigners(t)
	commit := s.by("ann", "a")
	cache := t.TempDir()
	content := func(asked bool) string {
		r := s.follow(s.dir, func(o *source.Options) {
			if o.Dir = cache; !asked {
				o.Verify = nil
			}
		})
		data, err := os.ReadFile(filepath.Join(load(t, r).Dir, "a"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if got := content(true); got != "a" {
		t.Fatalf("the file holds %q", got)
	}
	source.Forge(t, filepath.Join(cache, commit), "a", "evil")
	if got := content(false); got != "evil" {
		t.Fatalf("the forgery is found anyhow: %q", got)
	}
	if got := content(true); got != "a" {
		t.Errorf("where signatures are asked for, the file holds %q", got)
	}
}

// openPGP makes the key of a person who is believed from then on, and returns how git
// signs with it at a time.
func (s *signers) openPGP(name string) (at func(when time.Time, options string) []string) {
	s.t.Helper()
	home, err := os.MkdirTemp("", "syncdtest-") // a socket's path is short
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		if err := os.RemoveAll(home); err != nil {
			s.t.Error(err)
		}
	})
	gpg := func(args ...string) string {
		out, err := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...).Output()
		if err != nil {
			s.t.Fatalf("gpg %q: %v (is it installed? run hack/programs.sh)", args, err)
		}
		return string(out)
	}
	gpg("--faked-system-time", "20230101T000000!", "--quick-generate-key", name, "ed25519", "sign", "never")
	ring, program := filepath.Join(s.t.TempDir(), "keys.asc"), filepath.Join(s.t.TempDir(), "gpg")
	s.list(ring, gpg("--armor", "--export"))
	s.verify.OpenPGP.KeyringFiles = []string{ring}
	return func(when time.Time, options string) []string {
		script := fmt.Sprintf("#!/bin/sh\nexec gpg --homedir %s --batch --faked-system-time %s! %s \"$@\"\n", home, when.UTC().Format("20060102T150405"), options)
		if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
			s.t.Fatal(err)
		}
		return []string{"-c", "gpg.program=" + program, "-c", "user.signingkey=" + name}
	}
}

// What a clock that was wrong said of a signature is not kept: a machine without a
// battery begins in the past. Nor does a signature count that has ended since.
func TestAVerdictHoldsAsLongAsTheTimeDoesNotChangeIt(t *testing.T) {
	s := newSigners(t)
	at := s.openPGP("Ann <ann@example.com>")
	made := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	s.write("a", "a")
	s.git("add", "-A")
	s.git(append(at(made, "--default-sig-expire 2d"), "commit", "-q", "-S", "-m", "a")...)
	head := s.git("rev-parse", "HEAD")
	now := made.Add(-365 * 24 * time.Hour)
	r := s.follow(s.dir, func(o *source.Options) { o.Now = func() time.Time { return now } })
	takes := func(what string, want bool) {
		t.Helper()
		got, err := r.Resolve(t.Context())
		if want && (err != nil || got != head) {
			t.Errorf("%s: %.10s, %v", what, got, err)
		}
		if !want && (fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "it expired, or lies ahead")) {
			t.Errorf("%s: %.10s, %v (%v)", what, got, err, fault.Of(err))
		}
	}
	takes("with a clock that is a year behind", false)
	now = made.Add(-time.Second)
	takes("a second before", false)
	now = made
	takes("once it is set", true)
	now = made.Add(48 * time.Hour)
	takes("two days later", true)
	now = now.Add(time.Second)
	takes("after its end", false)
	if err := r.Vouch(t.Context(), head); fault.Of(err) != fault.Rejected {
		t.Errorf("after its end, it is vouched for: %v", err)
	}
	now = made.Add(time.Hour)
	takes("with the clock set back", true)
}
