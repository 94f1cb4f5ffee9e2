package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// work does one job per interval until ctx ends. A database that does not answer
// is said and waited for: it may be on its way back.
func work(ctx context.Context, s settings, out io.Writer) error {
	fmt.Fprintf(out, "%s %s: worker\n", s.name, s.version)
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		done, err := doJob(ctx, s)
		if err != nil {
			fmt.Fprintln(out, "job failed:", err)
			continue
		}
		fmt.Fprintln(out, "jobs done:", done)
	}
}

func doJob(ctx context.Context, s settings) (string, error) {
	if s.db == "" {
		return "one more", nil
	}
	return ask(ctx, s.db, "incr", "jobs")
}
