package source

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
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

// A bundle is not called broken for ever because the disk was full once.
func TestABundleIsNotBlamedForTheMachine(t *testing.T) {
	dir := t.TempDir()
	full := true
	take := func(_ context.Context, req ImportRequest) (ImportAnswer, error) {
		switch {
		case len(req.Files) == 0: // nothing is written for that
			return ImportAnswer{}, nil
		case full:
			return ImportAnswer{}, fault.As(fault.Unreachable, errors.New("no space left on device"))
		}
		return ImportAnswer{Bundles: []BundleState{{File: req.Files[0], State: BundleServes}}}, nil
	}
	b := newBundles(dir, filepath.Join(dir, "store"), take, time.Now)
	then := time.Now().Add(-time.Hour)
	file := filepath.Join(dir, "a.bundle")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, then, then)); err != nil {
		t.Fatal(err)
	}
	err := b.refresh(t.Context())
	if fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "a.bundle: no space left") || len(b.states) != 0 {
		t.Errorf("while the disk is full: %v, %+v", err, b.states)
	}
	full = false
	if err := b.refresh(t.Context()); err != nil || len(b.states) != 1 || !b.states[0].Counts() {
		t.Errorf("once there is room: %v, %+v", err, b.states)
	}
}
