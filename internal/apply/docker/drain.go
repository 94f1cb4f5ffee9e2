package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// pauseOf is how long a container stays, once its pre_stop hooks have ended, before
// it is stopped. What is not well serves nobody, and does not stay.
func (t *Target) pauseOf(in container.InspectResponse) time.Duration {
	slot, ok := slotOf(in.Config.Labels)
	if !ok || t.healthOf(slot, in).State != resource.Well {
		return 0
	}
	return t.drainOf(slot, in.Config.Labels)
}

// drainOf is what is wanted of the service by now, whatever it was made with; the
// label counts once nothing of the service is wanted.
func (t *Target) drainOf(slot resource.Key, labels map[string]string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, o := range t.wanted {
		if key.Kind != slot.Kind || key.Namespace != slot.Namespace {
			continue
		}
		if c, err := decode[spec.Container](o); err == nil {
			return c.Drain
		}
	}
	return drainLabel(labels)
}

// drainLabel reads the pause that a container was made with; a broken label has
// none.
func drainLabel(labels map[string]string) time.Duration {
	d, err := time.ParseDuration(labels[labelDrain])
	if err != nil {
		return 0
	}
	return d
}

// linger waits for the given time, or until the container has ended by itself.
func (e *Engine) linger(ctx context.Context, id string, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	ended, failed := e.api.ContainerWait(limited, id, container.WaitConditionNotRunning)
	select {
	case <-ended:
		return nil
	case err := <-failed:
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("pause before the stop: %w", context.Cause(ctx))
		case limited.Err() != nil || gone(err):
			return nil
		}
		return e.classify(ctx, "wait for container "+short(id), err)
	}
}
