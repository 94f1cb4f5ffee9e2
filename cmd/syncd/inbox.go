package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image"
	"syncd.io/syncd/internal/pack"
)

// packsDir is where all of packs is kept, below the state directory.
const packsDir = "packs"

// inboxOf takes packs for a host.
func inboxOf(host config.Host) *pack.Inbox {
	return &pack.Inbox{
		Dir: filepath.Join(host.State, packsDir), Limit: int64(host.Packs.Size), Verify: signedBy(host.Packs),
		Images: loading{host}, Host: host.Host.Name, Now: time.Now,
	}
}

// watchPacks takes the packs that come into the host's directory for them, until ctx
// ends.
func watchPacks(ctx context.Context, host config.Host, tell func(string), look func()) error {
	inbox := inboxOf(host)
	// it is watched by whoever follows bundle://STATE/packs/bundles
	if err := os.MkdirAll(pack.BundlesDir(inbox.Dir), 0o700); err != nil {
		return fmt.Errorf("make the directory of packs: %w", err)
	}
	drop := pack.Drop{Dir: host.Packs.Dir, Inbox: inbox, Tell: tell, Look: look}
	drop.Run(ctx)
	return nil
}

// loading takes over the images of packs. The engine is opened when there are some.
type loading struct{ host config.Host }

var _ pack.Loader = loading{}

// Ready tells whether there is an engine that answers, or a registry.
func (l loading) Ready(ctx context.Context) error {
	_, end, err := l.open(ctx)
	if err != nil {
		return err
	}
	return end()
}

// Load takes over images: into the engine, or into a registry.
func (l loading) Load(ctx context.Context, dir string, images []pack.Image) (err error) {
	received, end, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	packed := make([]image.Packed, len(images))
	for i, one := range images {
		packed[i] = image.Packed(one)
	}
	return received.Load(ctx, dir, packed)
}

// open opens who takes images, until end is called.
func (l loading) open(ctx context.Context) (received image.Received, end func() error, err error) {
	engine, err := l.engine(ctx)
	if err != nil {
		return image.Received{}, nil, err
	}
	end = func() error { return nil }
	if engine != nil {
		end = engine.Close
	}
	if received, err = receivedOf(ctx, l.host, engine, l.host.Packs.Registry); err != nil {
		return image.Received{}, nil, errors.Join(err, end())
	}
	return received, end, nil
}

// engine is the one that images are loaded into; nil where a registry takes them.
func (l loading) engine(ctx context.Context) (*docker.Engine, error) {
	switch {
	case l.host.Packs.Registry != "":
		return nil, nil //nolint:nilnil // the registry
	case l.host.Kubernetes != nil:
		err := fault.As(fault.Blocked, errors.New("the pack brings images, and the nodes of a cluster take them from a registry alone"))
		return nil, fault.Hint(err, "name one that they reach: packs.registry in syncd.yaml")
	}
	return docker.Open(ctx, docker.Options{Host: l.host.Docker})
}

// Held are the digests of what is here.
func (l loading) Held(ctx context.Context) ([]string, error) {
	return image.Received{Dir: filepath.Join(l.host.State, imagesDir)}.Held(ctx)
}
