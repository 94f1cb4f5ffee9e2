package source

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// While a child reads what bundles brought, nothing of it goes.
func TestNothingIsRemovedUnderWhoReadsBundles(t *testing.T) {
	dir := t.TempDir()
	var kept []bool
	take := func(_ context.Context, req ImportRequest) (ImportAnswer, error) {
		kept = append(kept, req.Keep)
		return ImportAnswer{Bundles: []BundleState{{File: req.Files[0], State: BundleServes}}}, nil
	}
	o := &origin{bundles: newBundles(dir, filepath.Join(dir, "store"), take, time.Now)}
	look := func(content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.bundle"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := o.bundles.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look("one")
	first, second := o.reading(), o.reading()
	look("the second")
	first()
	look("the third one")
	second()
	look("the fourth of them")
	if len(kept) != 4 || kept[0] || !kept[1] || !kept[2] || kept[3] {
		t.Errorf("kept: %v", kept)
	}
}
