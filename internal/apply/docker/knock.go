package docker

import (
	"context"
	"fmt"
	"net/http"

	"github.com/docker/docker/client"
)

// unkept lets each request have a connection of its own.
func unkept(c *client.Client) error {
	if t, ok := c.HTTPClient().Transport.(*http.Transport); ok { // it is this client's own
		t.DisableKeepAlives = true
	}
	return nil
}

// knock asks for a sign of life on a new connection. An engine that goes down takes
// none, and answers still on those that are open: there it tells of the containers that
// it stops, and fails what it is asked for with errors like any other. Errors:
// Unreachable.
func (e *Engine) knock(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	if _, err := e.door.Ping(limited); err != nil {
		return e.unreachable(ctx, "reach the Docker engine", err)
	}
	return nil
}

// alive tells an engine that answers an error from one that is going down: both
// say 500.
func (e *Engine) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
	defer cancel()
	return e.knock(ctx) == nil
}

// lookWell takes a snapshot in which nothing is down because the engine goes down: that
// is nobody's doing, and will have passed when the engine is back. Where a container is
// down that was not before, the engine has to be alive, and what counts is the next
// look: it may be another engine that is, which has begun meanwhile. Errors:
// Unreachable.
func (t *Target) lookWell(ctx context.Context) (s *snapshot, err error) {
	known := t.knownDown()
	for range 2 {
		if s, err = t.look(ctx); err != nil {
			return nil, err
		}
		down := s.down()
		if among(down, known) {
			known = down
			break
		}
		if err := t.engine.knock(ctx); err != nil {
			return nil, fmt.Errorf("see why a container is down: %w", err)
		}
		known = down
	}
	t.keepDown(known)
	return s, nil
}

// down are the containers that have run and do not, each with when it ended.
func (s *snapshot) down() map[string]string {
	out := map[string]string{}
	for _, list := range [][]found{s.containers, s.gates} {
		for _, f := range list {
			if started(f.State) && !f.State.Running && !f.State.Restarting {
				out[f.ID] = f.State.FinishedAt
			}
		}
	}
	return out
}

// among tells whether all that is down was so before, and has not run since.
func among(down, before map[string]string) bool {
	for id, ended := range down {
		if before[id] != ended {
			return false
		}
	}
	return true
}

func (t *Target) knownDown() map[string]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.down
}

func (t *Target) keepDown(down map[string]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.down = down
}
