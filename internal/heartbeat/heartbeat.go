// Package heartbeat asks a URL again and again while the agent is well: a dead man's
// switch behind it notices when that ends. Nothing waits for it.
package heartbeat

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
)

// Options say what is asked, and when.
type Options struct {
	config.Heartbeat
	// Well tells what is wrong with the agent; empty is nothing. Busy tells whether it
	// is at work at all: who stands by is silent.
	Well func() (trouble string)
	Busy func() bool
	Log  *slog.Logger
}

// Run beats at once, and then at each interval, until ctx ends. A beat that fails is
// not made up for: the next one is.
func Run(ctx context.Context, opts Options) {
	trouble := ""
	ticker := time.NewTicker(opts.Every())
	defer ticker.Stop()
	for {
		err := opts.beat(ctx)
		if ctx.Err() == nil {
			trouble = opts.tell(trouble, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// beat asks the URL, if there is anything to say.
func (o Options) beat(ctx context.Context) error {
	path := ""
	switch {
	case !o.Busy():
		return nil
	case o.Well() == "":
	case o.Fail:
		path = "/fail"
	default:
		return nil
	}
	limited, end := context.WithTimeout(ctx, o.Limit())
	defer end()
	return ask(limited, o.Heartbeat, path)
}

// tell has in the log that beats begin to fail, fail in another way, or go through
// again; it returns what it told.
func (o Options) tell(before string, err error) string {
	if err == nil {
		if before != "" {
			o.Log.Info("the heartbeat goes through again")
		}
		return ""
	}
	now := err.Error()
	if !strings.EqualFold(now, before) {
		o.Log.Warn("the heartbeat does not go through", "error", now, "hint", fault.Advice(err))
	}
	return now
}
