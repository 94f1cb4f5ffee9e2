package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// stage is what the story is played on: names and ports that nobody else uses,
// a directory, and the list of what has to be put away afterwards.
type stage struct {
	dir   string
	mark  string // four digits that are part of every name
	image string
	ports map[string]int // variable -> port
	undo  []func(context.Context) error
}

// examplesImage is the image that examples/repo names.
const examplesImage = "syncd-example"

func newStage(ctx context.Context) (*stage, error) {
	digits := make([]byte, 2)
	if _, err := rand.Read(digits); err != nil {
		return nil, fmt.Errorf("make a name: %w", err)
	}
	s := &stage{mark: hex.EncodeToString(digits), ports: map[string]int{}}
	s.image = "syncd-demo-" + s.mark
	for _, variable := range []string{"SHOP_PORT", "BLOG_PORT"} {
		port, err := freePort(ctx)
		if err != nil {
			return nil, err
		}
		s.ports[variable] = port
	}
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

// app is the name, and directory, of one of examples/repo's apps here.
func (s *stage) app(name string) string { return name + "-" + s.mark }

// apps are all of them.
func (s *stage) apps() []string { return []string{s.app("shop"), s.app("blog"), s.app("metrics")} }

// freePort returns a loopback port that was free a moment ago.
func freePort(ctx context.Context) (int, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	return port, ln.Close()
}

// fill copies examples/repo into dir. App directories and the image get names of
// their own, so that nothing of the user's is ever meant.
func (s *stage) fill(repo, dir string) error {
	names := strings.NewReplacer("shop/", s.app("shop")+"/", "blog/", s.app("blog")+"/", "metrics/", s.app("metrics")+"/")
	files := os.DirFS(repo)
	return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		to := filepath.Join(dir, names.Replace(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		text = []byte(strings.ReplaceAll(string(text), examplesImage+":", s.image+":"))
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return fmt.Errorf("copy the deploy repository: %w", err)
		}
		return nil
	})
}

// configure writes the host's syncd.yaml and returns its path.
func (s *stage) configure(repository string) (string, error) {
	var b strings.Builder
	b.WriteString("host:\n  name: demo\n  labels: {role: edge}\n  vars:\n")
	for variable, port := range s.ports {
		fmt.Fprintf(&b, "    %s: %q\n", variable, strconv.Itoa(port))
	}
	fmt.Fprintf(&b, "repo:\n  url: file://%s\n  ref: {branch: main}\n  interval: 1s\n", repository)
	fmt.Fprintf(&b, "state: %s\nsocket: %s\n", filepath.Join(s.dir, "state"), filepath.Join(s.dir, "syncd.sock"))
	path := filepath.Join(s.dir, "syncd.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return "", fmt.Errorf("write syncd.yaml: %w", err)
	}
	return path, nil
}
