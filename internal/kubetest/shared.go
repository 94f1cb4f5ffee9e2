package kubetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// SharedDir is where the machine's shared cluster is.
const SharedDir = "/var/lib/syncd-cluster"

// Up sees that the shared cluster answers, and that it has the images of this
// working directory. One that does not answer, or only by half, or runs another
// version, is made anew, without what was in it.
func Up(ctx context.Context, say func(format string, args ...any)) error {
	unlock, err := lock(ctx, SharedDir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	path, err := BuildPrograms(ctx, say)
	if err != nil {
		return err
	}
	if access, err := openShared(); err == nil && runs(path) && access.whole(ctx) == nil {
		return access.refreshImages(ctx)
	}
	if err := sweep(ctx, SharedDir); err != nil {
		return fmt.Errorf("clear away a cluster that does not answer: %w", err)
	}
	say("starting a cluster in %s", SharedDir)
	c, err := Launch(ctx, SharedDir, Options{Node: true, Say: say, shared: true})
	if err != nil {
		return err
	}
	return c.stampImages(ctx)
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

// Open returns the shared cluster when it is whole: its programs run, its API
// server is ready, its node takes pods.
func Open(ctx context.Context) (*Access, error) {
	access, err := openShared()
	if err != nil {
		return nil, err
	}
	return access, access.whole(ctx)
}

// openShared reads how the shared cluster is spoken to.
func openShared() (*Access, error) {
	access, err := openKubeconfig(filepath.Join(SharedDir, "kubeconfig"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no cluster in %s", SharedDir)
	}
	return access, err
}

// runs tells whether the shared cluster runs the programs of a directory.
func runs(programs string) bool {
	found, err := readLayout(SharedDir)
	return err == nil && found.Programs == programs
}

// whole returns what the cluster lacks, within ten seconds.
func (a *Access) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	running := ours(a.dir)
	for _, name := range append(built(), "etcd", "containerd") {
		if len(running[name]) == 0 {
			return fmt.Errorf("its %s does not run; see %s", name, filepath.Join(a.Logs(), name+".log"))
		}
	}
	if _, err := a.exchange(ctx, http.MethodGet, "/readyz", nil); err != nil {
		return err
	}
	return a.nodeReady(ctx)
}

// refreshImages gives the node the images of this working directory, where it
// has others.
func (a *Access) refreshImages(ctx context.Context) error {
	now, err := sources(ctx)
	if err != nil {
		return err
	}
	if has, err := os.ReadFile(a.stamp()); err == nil && string(has) == now {
		return nil
	}
	if err := a.loadOwnImages(ctx); err != nil {
		return err
	}
	return a.stampImages(ctx)
}

// stamp is the file that says which images the node has.
func (a *Access) stamp() string { return filepath.Join(a.dir, "images.stamp") }

// stampImages remembers what the node's images were built from.
func (a *Access) stampImages(ctx context.Context) error {
	now, err := sources(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.stamp(), []byte(now), 0o644); err != nil {
		return fmt.Errorf("remember the images: %w", err)
	}
	return nil
}

// sources returns a hash of what the node's images are built from.
func sources(ctx context.Context) (string, error) {
	root, err := project(ctx)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(root, "internal", "kubetest", "testapp", "*.go"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(errors.New("the test program's sources are not here; is this the project's directory?"), err)
	}
	hash := sha256.New()
	for _, file := range append(files, filepath.Join(root, "internal", "kubetest", "image.go")) {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read the test program: %w", err)
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
