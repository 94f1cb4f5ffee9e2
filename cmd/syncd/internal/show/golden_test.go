package show_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"syncd.io/syncd/cmd/syncd/internal/show"
)

// update writes what the tests see: go test ./cmd/syncd/internal/show -update.
var update = flag.Bool("update", false, "write the golden files")

// golden compares got with the file that a person has read and found good.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", name, got, want)
	}
}

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func style() show.Style { return show.Style{Now: now} }
