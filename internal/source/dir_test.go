package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source"
)

// TestDirectoryIsWhatItsCommitWouldBe compares LoadDir with a fetched commit.
func TestDirectoryIsWhatItsCommitWouldBe(t *testing.T) {
	g := newRepo(t)
	g.write("shop/compose.yaml", "services: {}\n")
	g.write("run.sh", "#!/bin/sh\n")
	g.write("huge", strings.Repeat("0", 6<<20))
	g.write("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:x\nsize 1\n")
	g.write("esc\x1b", "x")
	if err := os.Chmod(filepath.Join(g.dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"out": "../x", "in": "shop/compose.yaml", "abs": "/etc/passwd"} {
		if err := os.Symlink(target, filepath.Join(g.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	g.commit("x")
	want := load(t, follow(t, g.dir))
	got, err := source.LoadDir(t.Context(), g.dir, config.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if files(got) != files(want) {
		t.Errorf("got\n%s\nwant\n%s", files(got), files(want))
	}
	for i := range min(len(got.Files), len(want.Files)) {
		a, b := got.Files[i], want.Files[i]
		if a.Refused == "" && a != b {
			t.Errorf("got %+v, want %+v", a, b)
		}
	}
	if got.Dir != g.dir || got.Revision.Commit != "" || got.Revision.Ref != g.dir {
		t.Errorf("got %+v in %s", got.Revision, got.Dir)
	}
}

func TestDirectoriesThatCannotBeTaken(t *testing.T) {
	_, err := source.LoadDir(t.Context(), filepath.Join(t.TempDir(), "nowhere"), config.Limits{})
	wantFault(t, err, fault.Rejected, "nowhere", "")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = source.LoadDir(t.Context(), file, config.Limits{})
	wantFault(t, err, fault.Rejected, "is not a directory", "")
	odd := t.TempDir()
	if err := os.WriteFile(filepath.Join(odd, `a\b`), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = source.LoadDir(t.Context(), odd, config.Limits{})
	wantFault(t, err, fault.Rejected, "backslash", "")
}

// TestDirectoryWithAPipe: reading it would wait for ever.
func TestDirectoryWithAPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := source.LoadDir(t.Context(), dir, config.Limits{})
	if err != nil || files(s) != "pipe (refused: neither a file nor a directory nor a link)\n" {
		t.Errorf("got %q, %v", files(s), err)
	}
}

// TestADirectoryMeetsTheHostsLimits: what the agent accepts with raised limits is
// not refused before a merge, and the other way round.
func TestADirectoryMeetsTheHostsLimits(t *testing.T) {
	g := newRepo(t)
	g.write("large", strings.Repeat("0", 6<<20))
	g.write("small", "x")
	for _, c := range []struct {
		limits config.Limits
		want   string
	}{
		{config.Limits{}, "large (refused: larger than 5242880 bytes (limits.file))\nsmall\n"},
		{config.Limits{File: 8 << 20}, "large\nsmall\n"},
		{config.Limits{File: 8 << 20, FetchDisk: 6 << 20}, ""},
		{config.Limits{Files: 1}, ""},
	} {
		s, err := source.LoadDir(t.Context(), g.dir, c.limits)
		if got := files(s); got != c.want || (err == nil) != (c.want != "") || err != nil && fault.Of(err) != fault.Rejected {
			t.Errorf("%+v: got %q, %v; want %q", c.limits, got, err, c.want)
		}
	}
}

func TestReadingADirectoryEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone home")
	cancel(gone)
	if _, err := source.LoadDir(ctx, t.TempDir(), config.Limits{}); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
