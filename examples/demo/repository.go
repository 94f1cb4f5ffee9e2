package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// repository is the deploy repository: a bare one that the agent follows, and a
// clone in which the story's people work.
type repository struct {
	bare  string
	clone string
}

// git runs the git program in the clone, untouched by the user's own settings.
func (r repository) git(ctx context.Context, args ...string) (string, error) {
	return program(ctx, r.clone, []string{
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
	}, "git", args...)
}

func (r repository) all(ctx context.Context, commands ...[]string) error {
	for _, args := range commands {
		if _, err := r.git(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// newRepository makes both repositories below dir; the clone begins with what
// fill puts into it.
func newRepository(ctx context.Context, dir string, fill func(clone string) error) (repository, error) {
	r := repository{bare: filepath.Join(dir, "deploy.git"), clone: filepath.Join(dir, "clone")}
	if err := os.Mkdir(r.clone, 0o755); err != nil {
		return r, fmt.Errorf("make the clone's directory: %w", err)
	}
	if err := fill(r.clone); err != nil {
		return r, err
	}
	return r, r.all(ctx,
		[]string{"init", "-q", "--bare", "--initial-branch=main", r.bare},
		[]string{"init", "-q", "--initial-branch=main"},
		[]string{"remote", "add", "origin", r.bare},
		[]string{"add", "."},
		[]string{"commit", "-q", "-m", "The apps of this place"},
		[]string{"push", "-q", "origin", "main"},
	)
}

// merge does what a merge request does: a branch, a commit of what change did to
// the files, a merge into main. It returns the merge's commit.
func (r repository) merge(ctx context.Context, branch, subject string, change func() error) (string, error) {
	if err := r.all(ctx, []string{"checkout", "-q", "-b", branch}); err != nil {
		return "", err
	}
	if err := change(); err != nil {
		return "", err
	}
	err := r.all(ctx,
		[]string{"commit", "-q", "-a", "-m", subject},
		[]string{"checkout", "-q", "main"},
		[]string{"merge", "-q", "--no-ff", "-m", "Merge " + branch + ": " + subject, branch},
		[]string{"push", "-q", "origin", "main"},
	)
	if err != nil {
		return "", err
	}
	return r.head(ctx)
}

// head is the full name of the commit on top of main.
func (r repository) head(ctx context.Context) (string, error) { return r.git(ctx, "rev-parse", "main") }

// replace changes the first occurrence of before in one of the clone's files.
func (r repository) replace(path, before, after string) error {
	path = filepath.Join(r.clone, path)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read what is to change: %w", err)
	}
	if !strings.Contains(string(text), before) {
		return fmt.Errorf("%s does not say %q", path, before)
	}
	changed := strings.Replace(string(text), before, after, 1)
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return fmt.Errorf("change %s: %w", path, err)
	}
	return nil
}
