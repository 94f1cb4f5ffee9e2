package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
)

// dockerOf is the Docker engine that the host's settings name.
func (w wiring) dockerOf(host config.Host, agent string) target {
	opts := docker.Options{
		Host: host.Docker, Agent: agent, Mounts: filepath.Join(host.State, mountsDir), Version: thisBuild().Version, GateImage: host.Gate.Image,
		Progress: pulls(w.progress), Deaf: w.deaf, Ignored: w.deaf, Asked: w.meters.ofEngine(),
	}
	return target{name: "engine", open: func(ctx context.Context) (engine, error) {
		var err error
		if opts.Elsewhere, err = elsewhereOf(host); err != nil {
			return nil, err
		}
		e, err := docker.Open(ctx, opts)
		if err != nil {
			return nil, err
		}
		return dockerEngine{e}, nil
	}}
}

// dockerEngine fits the adapter to what a pass asks of an engine.
type dockerEngine struct{ *docker.Engine }

var _ reconcile.Origins = dockerEngine{}

// Target returns the place of one app.
func (e dockerEngine) Target(app string) apply.Target { return e.Engine.Target(app) }

// Image returns what an image says about itself; false where it is not there.
func (e dockerEngine) Image(ctx context.Context, pin string) (reconcile.Image, bool, error) {
	in, here, err := e.Engine.Image(ctx, pin)
	return reconcile.Image{Version: in.Version, Created: in.Created, Revision: in.Revision}, here, err
}

// PruneImages removes those of recorded that are not in keep.
func (e dockerEngine) PruneImages(ctx context.Context, keep, recorded []string) error {
	_, err := e.Engine.PruneImages(ctx, keep, recorded)
	return err
}

// FreeMemory is what this machine can still give, in bytes; 0 where that is
// unknown, or where the engine is on another machine.
func (e dockerEngine) FreeMemory(ctx context.Context) (int64, error) {
	facts, err := e.Facts(ctx)
	if err != nil {
		return 0, err
	}
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("look at the free memory: %w", err)
	}
	total, available := meminfo(string(data), "MemTotal"), meminfo(string(data), "MemAvailable")
	if total != facts.Memory {
		return 0, nil
	}
	return available, nil
}

// meminfo reads one value of /proc/meminfo, in bytes; 0 where it is not there.
func meminfo(text, key string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
