package main

import (
	"time"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) pauseVerb() *cobra.Command {
	var reason, until string
	cmd := &cobra.Command{
		Use:               "pause APP --reason TEXT",
		Short:             "Leave an app alone, for a reason and perhaps for a time",
		Long:              "Leaves the app alone: nothing is applied and nothing repaired, until\nsyncd resume APP, or until the time that --until names. Who paused it and why is\nrecorded and shown.",
		Example:           "  syncd pause shop --reason 'restoring a backup' --until 2h\n  syncd pause shop --reason 'frozen for the audit' --until 2027-01-07T08:00:00+01:00",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return hinted("say why: others will read it", "pause: --reason TEXT is missing")
			}
			end, err := untilTime(until, time.Now())
			if err != nil {
				return err
			}
			return c.word(cmd, "pause", reconcile.ActRequest{App: args[0], Reason: reason, Until: end})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who find it paused")
	cmd.Flags().StringVar(&until, "until", "", "when it ends by itself: a `time` such as 2027-01-07T08:00:00Z, or a span such as 2h")
	return cmd
}

// untilTime reads a time to come, or a span from now.
func untilTime(text string, now time.Time) (time.Time, error) {
	const hint = "write a time to come such as 2027-01-07T08:00:00Z, or a span such as 2h"
	if text == "" {
		return time.Time{}, nil
	}
	end, err := time.Parse(time.RFC3339, text)
	if err != nil {
		span, spanErr := time.ParseDuration(text)
		if spanErr != nil {
			return time.Time{}, hinted(hint, "--until %q is neither a time nor a span", text)
		}
		end = now.Add(span)
	}
	if !end.After(now) {
		return time.Time{}, hinted(hint, "--until %s is over already", text)
	}
	return end, nil
}
