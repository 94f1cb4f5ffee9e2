// Package nap waits for a while, and no longer than somebody wants it to.
package nap

import (
	"context"
	"time"
)

// For waits so long; not at all where that is no time. The error is why ctx ended, where
// it has by then.
func For(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return context.Cause(ctx)
}
