package kubetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"
)

// SharedDir is where the machine's shared cluster is.
const SharedDir = "/var/lib/syncd-cluster"

// place is where a cluster stays that outlives who started it: a directory, and
// the ranges of addresses 10.N and 10.N+1.
type place struct {
	dir     string
	numbers int
}

// shared is the place of the machine's shared cluster.
func shared() place { return place{dir: SharedDir, numbers: sharedRange} }

// Up sees that the shared cluster answers, and that it has the images of this
// working directory. One that does not answer, or only by half, or runs another
// version, is made anew, without what was in it.
func Up(ctx context.Context, say func(format string, args ...any)) error {
	return shared().up(ctx, say)
}

// Down ends the shared cluster and removes all of it.
func Down(ctx context.Context) error { return shared().down(ctx) }

// Open returns the shared cluster when it is whole: its programs run, its API
// server is ready, its node takes pods.
func Open(ctx context.Context) (*Access, error) {
	access, err := shared().open()
	if err != nil {
		return nil, err
	}
	return access, access.whole(ctx)
}

func (p place) up(ctx context.Context, say func(format string, args ...any)) error {
	unlock, err := lock(ctx, p.dir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	path, err := BuildPrograms(ctx, say)
	if err != nil {
		return err
	}
	if access, err := p.open(); err == nil && p.runs(path) && access.whole(ctx) == nil {
		return access.refreshImages(ctx)
	}
	if err := p.clear(ctx); err != nil {
		return fmt.Errorf("clear away a cluster that does not answer: %w", err)
	}
	say("starting a cluster in %s", p.dir)
	c, err := Launch(ctx, p.dir, Options{Node: true, Say: say, at: &p})
	if err != nil {
		return err
	}
	return c.stampImages(ctx)
}

func (p place) down(ctx context.Context) error {
	unlock, err := lock(ctx, p.dir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	return p.clear(ctx)
}

// clear removes what there is of the cluster, also of one that was cut off before
// it wrote down what it has.
func (p place) clear(ctx context.Context) error {
	return sweepNetwork(ctx, p.dir, ranged(p.numbers))
}

// open reads how the cluster is spoken to.
func (p place) open() (*Access, error) {
	access, err := openKubeconfig(filepath.Join(p.dir, "kubeconfig"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no cluster in %s", p.dir)
	}
	return access, err
}

// runs tells whether the cluster runs the programs of a directory.
func (p place) runs(programs string) bool {
	found, err := readLayout(p.dir)
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
