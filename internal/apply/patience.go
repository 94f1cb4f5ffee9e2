package apply

import (
	"context"
	"math/rand/v2"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nap"
)

// The pauses between two tries of a target that does not answer.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// patiently calls do until it gives an answer: success, or an error that is not
// Unreachable. It gives up after x.Patience, or when ctx ends, with the last
// error.
func (x *run) patiently(ctx context.Context, do func() error) error {
	deadline := time.Now().Add(x.Patience)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := do()
		if fault.Of(err) != fault.Unreachable || time.Now().After(deadline) {
			return err
		}
		if nap.For(ctx, jitter(pause)) != nil {
			return err
		}
	}
}

// jitter spreads a pause over its upper half, so that many waiters do not
// return at once.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
