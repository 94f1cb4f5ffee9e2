// Package examples_test holds the examples against what syncd accepts.
package examples_test

import (
	"io/fs"
	"os"
	"path"
	"testing"

	"syncd.io/syncd/internal/config"
)

func TestExampleConfigurationsAreAccepted(t *testing.T) {
	if _, err := config.LoadHost("syncd.yaml"); err != nil {
		t.Error(err)
	}
	apps := 0
	repo := os.DirFS("repo")
	err := fs.WalkDir(repo, ".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || path.Base(file) != ".syncd.yaml" {
			return err
		}
		apps++
		text, err := fs.ReadFile(repo, file)
		if err != nil {
			return err
		}
		if _, err := config.DecodeApp(file, text); err != nil {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if apps < 2 {
		t.Errorf("read %d .syncd.yaml, want at least 2", apps)
	}
}
