package docker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/gate"
)

// answering answers as a gate does, one word after the other, each after a while.
func answering(takes time.Duration, words ...any) func(context.Context) (gate.Answer, error) {
	return func(ctx context.Context) (gate.Answer, error) {
		select {
		case <-ctx.Done():
			return gate.Answer{}, ctx.Err()
		case <-time.After(takes):
		}
		word := words[0]
		if len(words) > 1 {
			words = words[1:]
		}
		if err, ok := word.(error); ok {
			return gate.Answer{}, err
		}
		return gate.Answer{Version: "1", Backends: []gate.State{{InFlight: word.(int)}}}, nil
	}
}

func TestWhatIsInFlightAtAGateIsWaitedFor(t *testing.T) {
	busy := errors.New("the engine is busy")
	for name, c := range map[string]struct {
		takes, drain time.Duration
		words        []any
		left         int
		known        bool
		took         time.Duration
	}{
		"nothing":                       {0, 2 * time.Second, []any{0}, 0, true, 0},
		"it ends":                       {0, 2 * time.Second, []any{2, 1, 0}, 0, true, 2 * quietPause},
		"it outlasts the drain":         {0, 2 * time.Second, []any{1}, 1, true, 2 * time.Second},
		"a question fails":              {0, 2 * time.Second, []any{busy, 1, 0}, 0, true, quietPause},
		"an answer outlasts the drain":  {3 * time.Second, time.Second, []any{1}, 1, true, 3 * time.Second},
		"a gate says nothing":           {time.Hour, time.Second, []any{0}, 0, false, 2 * wordLimit},
		"a gate cannot be asked at all": {0, time.Minute, []any{busy}, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				got := quiet(t.Context(), answering(c.takes, c.words...), c.drain)
				if inFlight(got) != c.left || (got.Version != "") != c.known || time.Since(begun) != c.took {
					t.Errorf("after %s: %+v", time.Since(begun), got)
				}
			})
		})
	}
}
