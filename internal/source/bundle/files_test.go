package bundle

import (
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
