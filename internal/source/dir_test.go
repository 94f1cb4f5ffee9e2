package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

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
	got, err := source.LoadDir(g.dir)
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
	_, err := source.LoadDir(filepath.Join(t.TempDir(), "nowhere"))
	wantFault(t, err, fault.Rejected, "nowhere", "")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = source.LoadDir(file)
	wantFault(t, err, fault.Rejected, "is not a directory", "")
	odd := t.TempDir()
	if err := os.WriteFile(filepath.Join(odd, `a\b`), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = source.LoadDir(odd)
	wantFault(t, err, fault.Rejected, "backslash", "")
}

// TestDirectoryWithAPipe: reading it would wait for ever.
func TestDirectoryWithAPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := source.LoadDir(dir)
	if err != nil || files(s) != "pipe (refused: neither a file nor a directory nor a link)\n" {
		t.Errorf("got %q, %v", files(s), err)
	}
}
