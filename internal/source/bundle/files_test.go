package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// What there are too many of is said, and what helps.
func TestTooManyFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.bundle", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := list(dir, 4); len(files) != 4 || err != nil {
		t.Errorf("%d files, %v", len(files), err)
	}
	if _, err := list(dir, 3); err == nil || !strings.Contains(err.Error(), "holds 4 bundles, and no more than 3") || !strings.Contains(fault.Advice(err), "move away") {
		t.Errorf("%v, hint %q", err, fault.Advice(err))
	}
}

// A file that cannot be looked at keeps no other out.
func TestALinkToItselfIsListedAmongTheOthers(t *testing.T) {
	dir := t.TempDir()
	good, loop := filepath.Join(dir, "good.bundle"), filepath.Join(dir, "loop.bundle")
	if err := errors.Join(os.WriteFile(good, nil, 0o600), os.Symlink("loop.bundle", loop), os.Symlink("nowhere", filepath.Join(dir, "gone.bundle"))); err != nil {
		t.Fatal(err)
	}
	files, err := List(dir)
	if err != nil || len(files) != 2 || files[0].Path != good || files[1] != (File{Path: loop}) {
		t.Errorf("%+v, %v", files, err)
	}
}
