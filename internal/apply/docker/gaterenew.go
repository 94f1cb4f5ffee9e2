package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

const (
	// quietPause is between two looks at what a gate has in flight.
	quietPause = 200 * time.Millisecond
	// lastWords are what is in flight at a gate that is renewed has left once that
	// was told to stop: it has been waited for before.
	lastWords = 200 * time.Millisecond
	// upLimit is what a new gate may take to listen.
	upLimit = 30 * time.Second
	// askLimit is for one question meanwhile: an exec in a container that ends may
	// say nothing at all.
	askLimit = 2 * time.Second
	// swapLimit bounds what nothing else ends in its middle.
	swapLimit = 3 * time.Minute
)

// RenewGate puts a gate of today's program in the place of ref, with its table
// and its networks. Two cannot publish one port: the new one is made first; the
// old one goes on until nothing is in flight, or for as long as its drain; what
// is left is the time of a stop and a start. Where the new one does not listen,
// the old one is started again. Whatever ends this in between, a put of the route
// goes on from there. Errors: Blocked for a gate that is not ours.
func (e *Engine) RenewGate(ctx context.Context, app string, ref resource.Ref) (apply.Renewal, error) {
	t := e.Target(app)
	s, err := t.look(ctx)
	if err != nil {
		return apply.Renewal{}, err
	}
	i := slices.IndexFunc(s.gates, func(g found) bool { return g.ID == ref.ID })
	switch {
	case s.title == lost:
		return apply.Renewal{}, s.owner.takenOver()
	case i < 0:
		return apply.Renewal{}, rejected("", "gate %s of app %s is gone", short(ref.ID), app)
	case !t.mayTouch(s, s.gates[i]):
		return apply.Renewal{}, fault.As(fault.Blocked, fmt.Errorf("gate %s was made by %s", s.gates[i].name(), maker(s.gates[i].labels())))
	}
	return t.renew(ctx, s, s.gates[i])
}

func (t *Target) renew(ctx context.Context, s *snapshot, old found) (apply.Renewal, error) {
	out := apply.Renewal{From: t.engine.described(s, old).Program}
	if err := t.dropHalfMade(ctx, s, old); err != nil {
		return out, err
	}
	table, err := t.engine.readTable(ctx, old.ID)
	if err != nil {
		return out, err
	}
	fresh, err := t.successor(ctx, s, old, table)
	if err != nil {
		return out, err
	}
	last := t.engine.quiet(ctx, old.ID, storedDrain(table))
	if last.Version != "" {
		out.From.Version = last.Version
	}
	if ctx.Err() != nil {
		return out, errors.Join(context.Cause(ctx), t.engine.discard(ctx, fresh))
	}
	answer, gap, err := t.swap(ctx, old.ID, fresh, table)
	out.Gap, out.Cut = resource.Duration(gap), inFlight(last)
	if err != nil {
		return out, errors.Join(err, t.engine.discard(ctx, fresh)) // where that has not been done yet
	}
	out.To = apply.GateProgram{Version: answer.Version, Image: t.engine.newestGate().Image}
	// It serves from here on, whatever else goes wrong.
	return out, errors.Join(t.engine.revive(context.WithoutCancel(ctx), fresh), t.Remove(ctx, gateSlot(old.labels()), resource.Ref{ID: old.ID}))
}

// dropHalfMade removes what an earlier renewal left that was cut short before
// the old gate stopped.
func (t *Target) dropHalfMade(ctx context.Context, s *snapshot, old found) error {
	for _, g := range s.gates {
		if g.ID != old.ID && gateSlot(g.labels()) == gateSlot(old.labels()) && !g.State.Running {
			if err := t.engine.discard(ctx, g.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// successor makes the gate that is to take the place of old, once its program has
// shown that it runs, and does not start it. Until old is gone it has another name.
func (t *Target) successor(ctx context.Context, s *snapshot, old found, table gate.Table) (string, error) {
	image, err := t.engine.gateImage(ctx)
	if err == nil {
		err = t.engine.proveGate(ctx, t.project, image)
	}
	if err != nil {
		return "", err
	}
	key := gateSlot(old.labels())
	labels := t.gateLabels(resource.Object{Key: key})
	labels[labelHash] = old.labels()[labelHash]
	r := spec.Route{Port: gatePublished(old), Drain: storedDrain(table), Aliases: gateNames(old)}
	id, err := t.createGate(ctx, beside(t.gateName(key), old.ID), labels, r, image)
	if err != nil {
		return "", err
	}
	err = t.armGate(ctx, s, fresh(id), r, table)
	if err == nil { // it ends where it does not come up
		err = t.engine.neverRevive(ctx, id)
	}
	if err != nil {
		return "", errors.Join(err, t.engine.discard(ctx, id))
	}
	return id, nil
}

// proveGate runs a gate's program once, beside all gates: what cannot run here
// is found out while nothing is stopped for it.
func (e *Engine) proveGate(ctx context.Context, project, image string) error {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	config := &container.Config{Image: image, User: gateUser, Cmd: []string{"version"}, Labels: map[string]string{labelCheck: project}}
	host := &container.HostConfig{NetworkMode: "none", CapDrop: []string{"ALL"}, LogConfig: container.LogConfig{Type: "json-file"}}
	made, err := e.api.ContainerCreate(ctx, config, host, nil, nil, "")
	if err != nil {
		return e.classify(ctx, "try the gate's program", err)
	}
	defer func() { _ = e.discard(ctx, made.ID) }() // it holds nothing
	ended, failed := e.api.ContainerWait(ctx, made.ID, container.WaitConditionNextExit)
	if err := e.start(ctx, made.ID); err != nil {
		cancel() // nobody hears any more how it ends
		return err
	}
	select {
	case err := <-failed:
		return e.classify(ctx, "try the gate's program", err)
	case end := <-ended:
		if said := e.lastLine(ctx, made.ID); end.StatusCode != 0 || !strings.HasPrefix(said, "syncd-gate ") {
			return rejected("see whether syncd-gate was installed as a whole", "the program of %s is no gate's: it ended with exit code %d, saying %q", image, end.StatusCode, said)
		}
	}
	return nil
}

// lastLine is what a container of one line printed; empty where it cannot be read.
func (e *Engine) lastLine(ctx context.Context, id string) string {
	stream, err := e.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "1"})
	if err != nil {
		return ""
	}
	defer stream.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, io.LimitReader(stream, 1<<10)); err != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// quiet waits until a gate has nothing in flight, for a limited time, and returns
// its last answer; none where it does not answer, which is no reason to keep it.
func (e *Engine) quiet(ctx context.Context, id string, limit time.Duration) gate.Answer {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last gate.Answer
	for {
		a, err := e.askGate(ctx, id, nil)
		if err == nil {
			last = a
		}
		if err != nil || inFlight(a)+a.Waiting == 0 || !wait(ctx, quietPause) {
			return last
		}
	}
}

func inFlight(a gate.Answer) int {
	n := 0
	for _, b := range a.Backends {
		n += b.InFlight
	}
	return n
}

// swap stops one gate and starts the other, and returns how long nobody listened.
// It is not interrupted; where the new gate does not come up, the old one is
// started again.
func (t *Target) swap(ctx context.Context, from, to string, table gate.Table) (gate.Answer, time.Duration, error) {
	e := t.engine
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), swapLimit)
	defer cancel()
	if err := t.stillOurs(ctx); err != nil {
		return gate.Answer{}, 0, err
	}
	// An engine that restarts now must not revive it.
	if err := e.neverRevive(ctx, from); err != nil {
		return gate.Answer{}, 0, err
	}
	e.hurry(ctx, from, table)
	begun := time.Now()
	answer, err := e.handOver(ctx, from, to, table)
	if err == nil {
		return answer, time.Since(begun), nil
	}
	if back := e.handBackTo(ctx, from, to, table); back != nil {
		return answer, time.Since(begun), errors.Join(err, fmt.Errorf("start the old one again: %w", back))
	}
	return answer, time.Since(begun), fmt.Errorf("%w; the old one goes on, gap %.2f s", err, time.Since(begun).Seconds())
}

// hurry shortens the drain of a gate that is about to stop. One that does not
// answer is stopped as it is.
func (e *Engine) hurry(ctx context.Context, id string, table gate.Table) {
	table.Drain = resource.Duration(lastWords)
	_ = e.tell(ctx, id, table)
}

// handBackTo starts the old gate again, as it was.
func (e *Engine) handBackTo(ctx context.Context, from, to string, table gate.Table) error {
	err := e.discard(ctx, to)    // it may have the port
	_ = e.tell(ctx, from, table) // where it has not been stopped
	err = errors.Join(err, e.writeTable(ctx, from, table), e.revive(ctx, from), e.start(ctx, from))
	if err == nil {
		_, err = e.listens(ctx, from, table)
	}
	return err
}

// handOver stops one gate and starts the other.
func (e *Engine) handOver(ctx context.Context, from, to string, table gate.Table) (gate.Answer, error) {
	const seconds = 2
	limit := seconds
	if err := e.api.ContainerStop(ctx, from, container.StopOptions{Timeout: &limit}); err != nil && !gone(err) {
		return gate.Answer{}, e.classify(ctx, "stop gate "+short(from), err)
	}
	if err := e.start(ctx, to); err != nil {
		return gate.Answer{}, err
	}
	return e.listens(ctx, to, table)
}

// listens waits until a gate goes by the table, and returns its answer.
func (e *Engine) listens(ctx context.Context, id string, table gate.Table) (gate.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, upLimit)
	defer cancel()
	for {
		a, err := e.askSoon(ctx, id)
		if err == nil && a.Trouble == "" && a.Digest == table.Digest() && a.Listening == table.Opens() {
			return a, nil
		}
		in, looked := e.inspect(ctx, id)
		switch {
		case looked == nil && !in.State.Running:
			return a, rejected("see whether syncd-gate was installed as a whole", "the new gate ended with exit code %d as soon as it began", in.State.ExitCode)
		case !wait(ctx, quietPause/4) && err == nil:
			return a, rejected("", "gate %s has not opened its port within %s: %s", short(id), upLimit, a.Trouble)
		case ctx.Err() != nil:
			return a, err
		}
	}
}

func (e *Engine) askSoon(ctx context.Context, id string) (gate.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return e.askGate(ctx, id, nil)
}

// wait pauses; it tells whether the context has not ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// rest gives the only gate of a slot its own name.
func (t *Target) rest(ctx context.Context, route resource.Key) error {
	all, err := t.engine.projectContainers(ctx, t.project)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(f found) bool { return !f.isGate() || gateSlot(f.labels()) != route })
	if len(all) != 1 || !t.misnamed(all, all[0]) {
		return nil
	}
	return t.engine.rename(ctx, all[0].ID, t.gateName(route))
}
