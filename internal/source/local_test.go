package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

func TestLocalRepository(t *testing.T) {
	g := newRepo(t)
	g.write("shop/compose.yaml", "services: {}\n")
	g.write("shop/run.sh", "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(g.dir, "shop/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("compose.yaml", filepath.Join(g.dir, "shop/link.yaml")); err != nil {
		t.Fatal(err)
	}
	head := g.commit("first \x1b[31mred\x1b[0m \u202eevil\n\nbody")
	for name, url := range map[string]string{"directory": g.dir, "inner": filepath.Join(g.dir, ".git"), "file URL": "file://" + g.dir} {
		t.Run(name, func(t *testing.T) {
			s := load(t, follow(t, url))
			want := source.Revision{Commit: head, Ref: "main", Author: "Ann", Email: "ann@example.com", Subject: "first red evil", Time: time.Unix(1700000060, 0).UTC()}
			if s.Revision != want {
				t.Errorf("revision %+v, want %+v", s.Revision, want)
			}
			if got := files(s); got != "shop/compose.yaml\nshop/link.yaml\nshop/run.sh\n" {
				t.Errorf("files:\n%s", got)
			}
			checkFiles(t, s)
		})
	}
}

// checkFiles compares what is on disk with the listing, and the listing with Git's.
func checkFiles(t *testing.T, s source.Snapshot) {
	t.Helper()
	for _, f := range s.Files {
		info, err := os.Lstat(filepath.Join(s.Dir, f.Path))
		if f.Refused != "" {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s was refused and is there: %v", f.Path, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Size() != f.Size || f.Mode != source.ModeLink && uint32(info.Mode().Perm()) != f.Mode&0o777 {
			t.Errorf("%s: %v with %d bytes, listed as %o with %d", f.Path, info.Mode(), info.Size(), f.Mode, f.Size)
		}
	}
}

func TestRefsOfLocalRepositories(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	g.git("tag", "light")
	g.git("tag", "-a", "v1", "-m", "one")
	g.git("tag", "-a", "v1-again", "-m", "a tag of a tag", "v1")
	g.git("checkout", "-q", "-b", "feature/x")
	second := g.commit("second")
	g.git("checkout", "-q", "main")
	packed := &repo{t, t.TempDir()}
	packed.git("clone", "-q", "--bare", g.dir, ".")
	packed.git("pack-refs", "--all")
	worktree := filepath.Join(t.TempDir(), "wt")
	g.git("worktree", "add", "-q", worktree, "feature/x")
	borrowing := &repo{t, t.TempDir()}
	borrowing.git("clone", "-q", "--shared", "--bare", g.dir, ".")
	for _, url := range []string{g.dir, packed.dir, worktree, borrowing.dir} {
		for _, c := range []struct {
			ref    config.Ref
			commit string
			shown  string
		}{
			{config.Ref{Branch: "main"}, first, "main"},
			{config.Ref{Branch: "feature/x"}, second, "feature/x"},
			{config.Ref{Tag: "light"}, first, "light"},
			{config.Ref{Tag: "v1"}, first, "v1"},
			{config.Ref{Tag: "v1-again"}, first, "v1-again"},
			{config.Ref{Commit: strings.ToUpper(second)}, second, second},
		} {
			r := follow(t, url, func(o *source.Options) { o.Ref = c.ref })
			s := load(t, r)
			if s.Revision.Commit != c.commit || s.Revision.Ref != c.shown {
				t.Errorf("%s %+v: got %s of %s, want %s of %s", url, c.ref, s.Revision.Commit, s.Revision.Ref, c.commit, c.shown)
			}
		}
	}
	head := follow(t, worktree, func(o *source.Options) { o.Ref = config.Ref{} })
	if s := load(t, head); s.Revision.Commit != second || s.Revision.Ref != "feature/x" {
		t.Errorf("HEAD of the worktree: %+v, want %s of feature/x", s.Revision, second)
	}
}

func TestResolveRefTakesBranchTagAndCommit(t *testing.T) {
	g := newRepo(t)
	first := g.commit("first")
	g.git("tag", "-a", "v1", "-m", "one")
	g.git("checkout", "-q", "-b", "next")
	second := g.commit("second")
	for _, server := range []string{g.dir, serve(t, g).URL} {
		r := follow(t, server, plain)
		for name, want := range map[string]string{"next": second, "main": first, "v1": first, "refs/heads/next": second, first: first, "HEAD": second, "": second} {
			got, err := r.ResolveRef(t.Context(), name)
			if err != nil || got != want {
				t.Errorf("%s %q: got %s, %v, want %s", server, name, got, err, want)
			}
			if s, err := r.Load(t.Context(), want); err != nil || s.Revision.Commit != want {
				t.Errorf("%s %q: load: %v", server, name, err)
			}
		}
		for _, name := range []string{"--upload-pack=x", "a..b", "$(x)", "x y", "refs/heads/../../config"} {
			_, err := r.ResolveRef(t.Context(), name)
			if name == "$(x)" { // a name that a branch can have; nothing ever runs it
				wantFault(t, err, fault.Rejected, "no branch or tag $(x)", "main")
				continue
			}
			wantFault(t, err, fault.Rejected, "not a name", "branch")
		}
	}
}

func TestMissingRefs(t *testing.T) {
	g := newRepo(t)
	empty := newRepo(t)
	g.commit("first")
	g.git("branch", "mainline")
	g.git("branch", "develop")
	unborn := newRepo(t)
	unborn.commit("first")
	unborn.git("symbolic-ref", "HEAD", "refs/heads/nothing")
	for name, where := range map[string]func(*repo) string{
		"local": func(r *repo) string { return r.dir },
		"http":  func(r *repo) string { return serve(t, r).URL },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := follow(t, where(g), plain, func(o *source.Options) { o.Ref.Branch = "devlop" }).Resolve(t.Context())
			wantFault(t, err, fault.Rejected, "no branch devlop", "develop, main")
			_, err = follow(t, where(g), plain, func(o *source.Options) { o.Ref = config.Ref{Tag: "v9"} }).Resolve(t.Context())
			wantFault(t, err, fault.Rejected, "no tag v9", "main")
			_, err = follow(t, where(empty), plain).Resolve(t.Context())
			wantFault(t, err, fault.Rejected, "the repository has no commits", "push the first commit")
			_, err = follow(t, where(unborn), plain, func(o *source.Options) { o.Ref = config.Ref{} }).Resolve(t.Context())
			wantFault(t, err, fault.Rejected, "HEAD of the repository names a branch that has no commits", "main")
			r := follow(t, where(g), plain, func(o *source.Options) { o.Ref.Branch = "mainline" })
			load(t, r)
			g.git("branch", "-D", "mainline")
			_, err = r.Resolve(t.Context())
			wantFault(t, err, fault.Rejected, "no branch mainline", "main")
			g.git("branch", "mainline")
		})
	}
}

func TestWhatIsNoRepository(t *testing.T) {
	_, err := follow(t, filepath.Join(t.TempDir(), "nowhere")).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "nowhere", "check repo.url")
	_, err = follow(t, t.TempDir()).Resolve(t.Context())
	wantFault(t, err, fault.Rejected, "is not a Git repository", "git init")
	g := newRepo(t)
	head := g.commit("x")
	g.write(".git/config", "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n")
	_, err = follow(t, g.dir).Resolve(t.Context())
	wantFault(t, err, fault.Rejected, "needs the extension", "")
	g.write(".git/config", "[core]\n\trepositoryformatversion = 0\n")
	g.write(".git/refs/heads/main", "")
	_, err = follow(t, g.dir).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "the ref file is damaged", "git fsck")
	g.write(".git/packed-refs", head+" refs/heads/main\n")
	_, err = follow(t, g.dir).Resolve(t.Context())
	wantFault(t, err, fault.Unreachable, "the ref file is damaged", "") // and not what packed-refs still says
	g.write(".git/refs/heads/main", head+"\n")
	load(t, follow(t, g.dir))
	for _, damage := range []string{"", "garbage\n"} {
		g.write(".git/HEAD", damage)
		_, err = follow(t, g.dir, func(o *source.Options) { o.Ref = config.Ref{} }).Resolve(t.Context())
		wantFault(t, err, fault.Unreachable, `read ref "HEAD": the ref file is damaged`, "git symbolic-ref HEAD refs/heads/main")
	}
	g.write(".git/HEAD", "ref: refs/heads/main\n")
	g.write(".git/config", "x[")
	_, err = follow(t, g.dir).Resolve(t.Context())
	wantFault(t, err, fault.Rejected, "read the configuration of repository", "git config --list")
	sha256 := &repo{t, t.TempDir()}
	sha256.git("init", "-q", "-b", "main", "--object-format=sha256")
	sha256.commit("x")
	_, err = follow(t, sha256.dir).Resolve(t.Context())
	wantFault(t, err, fault.Rejected, "sha256 object names", "")
}

func TestDamagedLocalObjectIsNotApplied(t *testing.T) {
	g := newRepo(t)
	g.write("a", "hello")
	g.commit("x")
	hash := g.git("rev-parse", "HEAD:a")
	other := g.blob("jello")
	dir := filepath.Join(g.dir, ".git/objects")
	wrong, err := os.ReadFile(filepath.Join(dir, other[:2], other[2:]))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, hash[:2], hash[2:])
	if err := errors.Join(os.Remove(path), os.WriteFile(path, wrong, 0o444)); err != nil {
		t.Fatal(err)
	}
	r := follow(t, g.dir)
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Load(t.Context(), commit)
	wantFault(t, err, fault.Unreachable, "do not fit its name", "git fsck")
}

func TestCancelledLoad(t *testing.T) {
	g := newRepo(t)
	commit := g.commit("x")
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := follow(t, g.dir).Load(ctx, commit); !errors.Is(err, stop) || fault.Of(err) != fault.Unknown {
		t.Errorf("got %v (%v), want the context's cause", err, fault.Of(err))
	}
}

// TestFilesOfALocalRepositoryThatCannotBeRead: reading a pipe would wait for
// ever, and what no repository needs that much of would fill the agent.
func TestFilesOfALocalRepositoryThatCannotBeRead(t *testing.T) {
	g := newRepo(t)
	g.commit("x")
	g.git("tag", "-a", "v1", "-m", "one")
	head := g.git("rev-parse", "HEAD")
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	huge := func(path string) error { return os.WriteFile(path, []byte(strings.Repeat(" ", 20<<20)), 0o600) }
	for _, c := range []struct {
		file string
		put  func(string) error
		text string
	}{
		{".git/refs/heads/main", pipe, "is no regular file"},
		{".git/packed-refs", pipe, "is no regular file"},
		{".git/config", pipe, "is no regular file"},
		{".git/refs/heads/main", huge, "is longer than"},
		{".git/packed-refs", huge, "is longer than"},
		{".git/config", huge, "is longer than"},
	} {
		path := filepath.Join(g.dir, c.file)
		before, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		put(t, path, c.put)
		if c.file == ".git/packed-refs" {
			put(t, filepath.Join(g.dir, ".git/refs/heads/main"), nil)
		}
		answered := make(chan error, 1)
		go func() {
			_, err := follow(t, g.dir).Resolve(context.WithoutCancel(t.Context()))
			answered <- err
		}()
		select {
		case err := <-answered:
			if fault.Of(err) == fault.Unknown || !strings.Contains(err.Error(), c.text) || fault.Advice(err) == "" {
				t.Errorf("%s: got %v (%v, hint %q), want %q", c.file, err, fault.Of(err), fault.Advice(err), c.text)
			}
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: no answer", c.file)
		}
		put(t, path, func(path string) error { return os.WriteFile(path, before, 0o600) })
		g.write(".git/refs/heads/main", head+"\n")
	}
	load(t, follow(t, g.dir))
	load(t, follow(t, g.dir, func(o *source.Options) { o.Ref = config.Ref{Tag: "v1"} }))
}

// put removes a file, and makes another of it where that is given.
func put(t *testing.T, path string, other func(string) error) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if other == nil {
		return
	}
	if err := other(path); err != nil {
		t.Fatal(err)
	}
}
