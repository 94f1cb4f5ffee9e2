package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/nap"
	"syncd.io/syncd/internal/resource"
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
	// wordLimit is what one question of what is in flight may take at least.
	wordLimit = 5 * time.Second
	// swapLimit bounds what nothing else ends in its middle.
	swapLimit = 3 * time.Minute
)

// quiet waits until the gate that ask asks has nothing in flight, for a limited time,
// and returns its last answer; none where it does not answer, twice, which is no reason
// to keep it. A question may outlast the limit: an engine under load takes seconds.
func quiet(ctx context.Context, ask func(context.Context) (gate.Answer, error), limit time.Duration) gate.Answer {
	end := time.Now().Add(limit)
	var last gate.Answer
	for failed := 0; failed < 2; {
		limited, cancel := context.WithTimeout(ctx, max(wordLimit, time.Until(end)))
		a, err := ask(limited)
		cancel()
		if err != nil {
			failed++
			continue
		}
		last, failed = a, 0
		if inFlight(a)+a.Waiting == 0 || time.Until(end) <= 0 || nap.For(ctx, min(quietPause, time.Until(end))) != nil {
			return last
		}
	}
	return last
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
	err := e.discard(ctx, to) // it may have the port
	err = errors.Join(err, e.writeTable(ctx, from, table), e.revive(ctx, from), e.start(ctx, from))
	if err != nil {
		return err
	}
	_ = e.tell(ctx, from, table) // one that has not been stopped reads no file
	_, err = e.listens(ctx, from, table)
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
		case nap.For(ctx, quietPause/4) != nil && err == nil:
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
