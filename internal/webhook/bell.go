package webhook

import (
	"context"
	"time"
)

// bell turns any number of rings into few looks: the first at once, then one for
// all that came meanwhile.
type bell struct {
	rung  chan struct{}
	pause time.Duration
	look  func()
}

func newBell(pause time.Duration, look func()) bell {
	return bell{rung: make(chan struct{}, 1), pause: pause, look: look}
}

// ring never waits.
func (b bell) ring() {
	select {
	case b.rung <- struct{}{}:
	default:
	}
}

// keep looks when it is rung, until ctx ends.
func (b bell) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.rung:
		}
		b.look()
		select {
		case <-ctx.Done():
			return
		case <-time.After(b.pause):
		}
	}
}
