package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A file that cannot be read to its end is the bundle's trouble, and one that cannot be
// written the machine's.
func TestWhoseTroubleACopyIs(t *testing.T) {
	made := func(name string) *os.File {
		t.Helper()
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	closed := func(f *os.File) *os.File {
		t.Helper()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return f
	}
	from := made("a.bundle")
	if err := from.Truncate(100); err != nil {
		t.Fatal(err)
	}
	var bad *unfit
	if err := copyPack(closed(made("new")), &arrival{file: from, size: 100}); err == nil || errors.As(err, &bad) {
		t.Errorf("a pack that cannot be written: %v", err)
	}
	if err := copyPack(made("new"), &arrival{file: closed(from), size: 100}); !errors.As(err, &bad) {
		t.Errorf("a bundle that cannot be read: %v", err)
	}
}
