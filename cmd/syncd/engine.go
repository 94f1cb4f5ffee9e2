package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// need is how much a verb depends on the engine.
type need int

const (
	// unneeded: the record alone answers.
	unneeded need = iota
	// optional: without an engine there is less to tell.
	optional
	// required: nothing can be done without.
	required
	// awaited: the agent starts before the engine does, and waits for it.
	awaited
)

// The pauses between two tries to reach an engine that is awaited.
const (
	firstWait = time.Second
	lastWait  = 30 * time.Second
)

// openEngine connects to the engine as far as the verb needs one.
func (w wiring) openEngine(ctx context.Context, host config.Host, agent string, open *closers) (reconcile.Engine, error) {
	if w.engine == unneeded {
		return nil, nil
	}
	opts := docker.Options{
		Host: host.Docker, Agent: agent, Mounts: filepath.Join(host.State, mountsDir), Version: thisBuild().Version, GateImage: host.Gate.Image,
		Progress: pulls(w.progress), Deaf: w.deaf, Ignored: w.deaf,
	}
	engine, err := docker.Open(ctx, opts)
	for pause := firstWait; err != nil && w.engine == awaited && fault.Of(err) == fault.Unreachable; pause = min(2*pause, lastWait) {
		w.log.Warn("the engine does not answer", "error", err, "again", pause.String())
		if err := wait(ctx, pause); err != nil {
			return nil, err
		}
		engine, err = docker.Open(ctx, opts)
	}
	switch {
	case err == nil:
		open.add(engine.Close)
		return dockerEngine{engine}, nil
	case w.engine == optional && fault.Of(err) == fault.Unreachable:
		w.note(err.Error() + ": what runs now is unknown")
		return nil, nil
	default:
		return nil, err
	}
}

// deaf tells that the engine's events ended, after which the adapter listens anew,
// or that a hook failed which keeps nothing from going on.
func (w wiring) deaf(err error) {
	if w.hear != nil {
		w.hear(reconcile.Event{Text: err.Error()})
	}
}

// wait pauses, or ends early with the context's cause.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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
