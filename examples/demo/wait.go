package main

import (
	"context"
	"fmt"
	"time"
)

// patience is how long any one step of the story may take.
const patience = 60 * time.Second

// await asks look every 100 ms until it is content (an empty answer). After the
// limit, or when ctx ends, the error says what was waited for and seen last.
func await(ctx context.Context, what string, look func(context.Context) string) error {
	return awaitEvery(ctx, 100*time.Millisecond, what, look)
}

// awaitEvery is await with another pause between two looks.
func awaitEvery(ctx context.Context, pause time.Duration, what string, look func(context.Context) string) error {
	limited, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s passed", patience))
	defer cancel()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		seen := look(limited)
		if seen == "" && limited.Err() == nil {
			return nil
		}
		select {
		case <-limited.Done():
			return fmt.Errorf("wait for %s: %w; last seen: %s", what, context.Cause(limited), seen)
		case <-tick.C:
		}
	}
}
