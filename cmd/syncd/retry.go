package main

import (
	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) retryVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "retry APP",
		Short:             "Lift an app's quarantine, and try again",
		Long:              "Forgets that revisions of the app failed, and makes a pass: what the repository\nasks for is tried again.\n\n" + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.word(cmd, "retry", reconcile.ActRequest{App: args[0]})
		},
	}
}
