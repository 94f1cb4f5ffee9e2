package kubetest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// await tries until it works, and gives up with the last reason when the context
// ends. An error made by giveUp ends it at once.
func await(ctx context.Context, try func(context.Context) error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil || errors.Is(err, errGaveUp) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}

var errGaveUp = errors.New("no use waiting")

// giveUp marks an error that waiting cannot mend.
func giveUp(err error) error { return fmt.Errorf("%w: %w", errGaveUp, err) }
