package state

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// small mounts a file system of 1 MiB, or returns false where that is not allowed.
func small(t *testing.T) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return "", false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, true
}

// ballast fills the file system of dir to the last byte.
func ballast(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	return f.Name()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func fullDisk(t *testing.T, err error) {
	t.Helper()
	if fault.Of(err) != fault.Blocked || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fault.Advice(err), "free some space") {
		t.Errorf("%v (hint %q, class %s): want a full disk", err, fault.Advice(err), fault.Of(err))
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	dir, ok := small(t)
	if !ok {
		fileLimit(t)
		return
	}
	s := open(t, filepath.Join(dir, "state"))
	if err := s.Save(numbered(1)); err != nil {
		t.Fatal(err)
	}
	weight := ballast(t, dir)
	large := numbered(2)
	large.Halted = strings.Repeat("x", 200<<10)
	fullDisk(t, s.Save(large))
	if r, err := s.Record("shop"); err != nil || r.Dir != "1" {
		t.Errorf("the record before is gone: %+v, %v", r.Dir, err)
	}
	s = reopen(t, s)
	if r, err := s.Record("shop"); err != nil || r.Dir != "1" || s.Recovered() != "" {
		t.Errorf("after a restart the record before is gone: %+v, %v, %s", r.Dir, err, s.Recovered())
	}
	_, err := Open(filepath.Join(dir, "other"))
	fullDisk(t, err)
	m := Mounts{Dir: filepath.Join(dir, "state", "mounts")}
	fullDisk(t, m.Put(t.Context(), dir, MountSource{Hash: "h", Name: "n", Content: make([]byte, 300<<10)}))
	if err := os.Remove(weight); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(large); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(m.Dir, "*")); err != nil || len(left) != 0 {
		t.Errorf("the failed mount left %v, %v", left, err)
	}
}

// However often an agent begins on a full disk, what was damaged is there for a person,
// and is told of by the one that has space.
func TestDamageOnAFullDiskIsLeftUntilThereIsSpace(t *testing.T) {
	disk, may := small(t)
	if !may {
		if testing.Short() {
			t.Skip("needs the right to mount")
		}
		t.Fatal("needs the right to mount (or run with -short)")
	}
	dir := filepath.Join(disk, "state")
	ok(t, open(t, dir).Close())
	ok(t, os.WriteFile(filepath.Join(dir, "record.db"), []byte("junk"), 0o600))
	weight := ballast(t, disk)
	for range keepBroken + 1 {
		_, err := Open(dir)
		fullDisk(t, err)
	}
	if there := names(t, dir); there != "key record.db" {
		t.Errorf("there are %s", there)
	}
	ok(t, os.Remove(weight))
	s := open(t, dir)
	if last, err := s.Last(); err != nil || last == 0 || !strings.Contains(s.Recovered(), "set aside as record.db.broken-") {
		t.Errorf("with space again it counts on after %d, %v, and tells %q", last, err, s.Recovered())
	}
}

// fileLimit is for a user who may not mount: the file may not grow instead.
func fileLimit(t *testing.T) {
	dir := t.TempDir()
	cmd, lines := child(t, "limit", dir)
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	reap(t, cmd)
	if !strings.HasPrefix(last, "error ") || !strings.Contains(last, "file too large") {
		t.Fatalf("the child said %q", last)
	}
	s := open(t, dir)
	if s.Recovered() != "" {
		t.Errorf("a file that may not grow was damaged: %s", s.Recovered())
	}
}

func TestFileLimit(t *testing.T) { fileLimit(t) }

func TestAReadOnlyDiskIsNamed(t *testing.T) {
	dir, ok := small(t)
	if !ok {
		if testing.Short() {
			t.Skip("needs the right to mount")
		}
		t.Fatal("needs the right to mount (or run with -short)")
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{dir, filepath.Join(dir, "state")} {
		_, err := Open(at)
		if fault.Of(err) != fault.Blocked || !errors.Is(err, syscall.EROFS) || !strings.Contains(fault.Advice(err), "read-only") {
			t.Errorf("%s: %v (hint %q)", at, err, fault.Advice(err))
		}
	}
}

func TestAStateThatIsAFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "has to be a directory") {
		t.Errorf("%v (hint %q)", err, fault.Advice(err))
	}
}
