// Package programs builds syncd's programs for tests, each once.
package programs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Programs is a directory of programs, which are built when they are asked for.
type Programs struct {
	dir   string
	mu    sync.Mutex
	built map[string]error
}

// New makes the directory. Remove takes it away.
func New() (*Programs, error) {
	dir, err := os.MkdirTemp("", "syncdtest-programs-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for programs: %w", err)
	}
	return &Programs{dir: dir, built: map[string]error{}}, nil
}

// Remove takes the directory away, with all that was built.
func (p *Programs) Remove() error { return os.RemoveAll(p.dir) }

// Path builds the last of names and those before it, which it needs beside it, and
// returns its path. Each is built once, also where that failed.
func (p *Programs) Path(ctx context.Context, names ...string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	for _, name := range names {
		if _, done := p.built[name]; !done {
			p.built[name] = build(ctx, p.dir, name)
		}
		failed = errors.Join(failed, p.built[name])
	}
	return filepath.Join(p.dir, names[len(names)-1]), failed
}

// longest is how long a build may take on a cold cache.
const longest = 20 * time.Minute

// build goes on when the test that asked for it ends: others will.
func build(ctx context.Context, dir, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+"/", "syncd.io/syncd/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return nil
}
