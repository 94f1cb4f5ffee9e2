package nap_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/nap"
)

func TestItEndsWithItsTimeOrItsContext(t *testing.T) {
	why := errors.New("nobody waits any more")
	for name, c := range map[string]struct {
		pause, end, took time.Duration
		want             error
	}{
		"its time":            {pause: time.Minute, end: time.Hour, took: time.Minute},
		"its context":         {pause: time.Hour, end: time.Minute, took: time.Minute, want: why},
		"no time":             {pause: 0, end: time.Hour},
		"less than none":      {pause: -time.Minute, end: time.Hour},
		"an end before":       {pause: time.Minute, end: 0, want: why},
		"neither nor a while": {pause: 0, end: 0, want: why},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancelCause(t.Context())
				defer end(nil)
				if c.end == 0 {
					end(why)
				}
				defer time.AfterFunc(c.end, func() { end(why) }).Stop()
				begun := time.Now()
				if err := nap.For(ctx, c.pause); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("it ended with %v, want %v", err, c.want)
				}
				if took := time.Since(begun); took != c.took {
					t.Errorf("it took %s, want %s", took, c.took)
				}
			})
		})
	}
}
