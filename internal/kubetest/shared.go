package kubetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// SharedDir is where the machine's shared cluster is.
const SharedDir = "/var/lib/syncd-cluster"

// Up sees that the shared cluster answers. One that does not, or only by half, is
// made anew, without what was in it. It is quick where the cluster answers.
func Up(ctx context.Context, say func(format string, args ...any)) error {
	if Status(ctx) == nil {
		return nil
	}
	unlock, err := lock(ctx, SharedDir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if Status(ctx) == nil {
		return nil // somebody was quicker
	}
	if _, err := BuildPrograms(ctx, say); err != nil {
		return err
	}
	if err := sweep(ctx, SharedDir); err != nil {
		return fmt.Errorf("clear away a cluster that does not answer: %w", err)
	}
	say("starting a cluster in %s", SharedDir)
	_, err = Launch(ctx, SharedDir, Options{Node: true, Say: say, shared: true})
	return err
}

// Down ends the shared cluster and removes all of it.
func Down(ctx context.Context) error {
	unlock, err := lock(ctx, SharedDir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	return sweep(ctx, SharedDir)
}

// Status returns nil when the shared cluster is whole: its programs run, its API
// server is ready, its node takes pods.
func Status(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	access, err := openShared()
	if err != nil {
		return err
	}
	if running := len(ours(SharedDir)); running < 6 {
		return fmt.Errorf("only %d of its programs run", running)
	}
	if _, err := access.exchange(ctx, http.MethodGet, "/readyz", nil); err != nil {
		return err
	}
	return access.nodeReady(ctx)
}

// openShared reads how the shared cluster is spoken to.
func openShared() (*Access, error) {
	found, err := readLayout(SharedDir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no cluster in %s", SharedDir)
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(SharedDir, "kubeconfig")); err != nil {
		return nil, fmt.Errorf("find its kubeconfig: %w", err)
	}
	return newAccess(SharedDir, found.Net.url())
}
