package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/durable"
)

// holds sees what a directory has: one file, with this content, for its owner.
func holds(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("it holds %q, %v, want %q", got, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("there are %v, %v", all, err)
	}
}

func TestAFileIsReplacedWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it")
	for _, want := range []string{"a longer one", "short", ""} {
		if err := durable.Replace(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		holds(t, path, want)
	}
}

func TestWhatACrashLeftIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it")
	if err := os.WriteFile(path+".new", []byte("a half"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("a whole")); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "a whole")
}

func TestWhatCannotBeReplacedStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "it")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("new")); err == nil {
		t.Error("a directory was replaced by a file")
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 || !all[0].IsDir() {
		t.Errorf("there are %v, %v", all, err)
	}
	if err := durable.Replace(filepath.Join(dir, "none", "it"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that is not there: %v", err)
	}
}

func TestADirectoryThatIsNotThereCannotBeSynced(t *testing.T) {
	if err := durable.SyncDir(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := durable.SyncDir(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
