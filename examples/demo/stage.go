package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// stage is what the story is played on: names and ports that nobody else uses,
// a directory, and the list of what has to be put away afterwards.
type stage struct {
	scene
	dir   string
	mark  string // four digits that are part of every name
	image string
	undo  []func(context.Context) error
}

// scene is what a stage is set for, an engine or a cluster: what becomes of
// examples/repo there, and what the agent is told.
type scene struct {
	apps  []string
	paths *strings.Replacer // of the files
	texts *strings.Replacer // in the files
	host  string            // the lines of syncd.yaml that say what is kept
}

// examplesImage is the image that examples/repo names.
const examplesImage = "syncd-example"

func newStage() (*stage, error) {
	digits := make([]byte, 2)
	if _, err := rand.Read(digits); err != nil {
		return nil, fmt.Errorf("make a name: %w", err)
	}
	s := &stage{mark: hex.EncodeToString(digits)}
	s.image = "syncd-demo-" + s.mark
	dir, err := os.MkdirTemp("", "syncd-demo-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	s.dir = dir
	s.later(func(context.Context) error { return os.RemoveAll(dir) })
	return s, nil
}

// later registers what has to be undone; the last one is undone first.
func (s *stage) later(undo func(context.Context) error) { s.undo = append(s.undo, undo) }

// clear puts everything away, whatever fails on the way, within a minute. It
// goes on after ctx ended.
func (s *stage) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var failed []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		failed = append(failed, s.undo[i](ctx))
	}
	return errors.Join(failed...)
}

// fill copies examples/repo into dir. What could be somebody else's gets a name of
// its own there, so that nothing of the user's is ever meant.
func (s *stage) fill(repo, dir string) error {
	files := os.DirFS(repo)
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		to := filepath.Join(dir, s.paths.Replace(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		if err := os.WriteFile(to, []byte(s.texts.Replace(string(text))), 0o644); err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		return nil
	})
}

// configure writes the host's syncd.yaml and returns its path.
func (s *stage) configure(repository string) (string, error) {
	var b strings.Builder
	b.WriteString(s.host)
	fmt.Fprintf(&b, "repo:\n  url: file://%s\n  ref: {branch: main}\n  interval: 1s\n", repository)
	fmt.Fprintf(&b, "state: %s\nsocket: %s\n", filepath.Join(s.dir, "state"), filepath.Join(s.dir, "syncd.sock"))
	path := filepath.Join(s.dir, "syncd.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write syncd.yaml: %w", err)
	}
	return path, nil
}
