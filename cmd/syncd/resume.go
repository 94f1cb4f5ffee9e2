package main

import (
	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) resumeVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "resume APP",
		Short:             "End a pause or a manual rollback",
		Long:              "Ends a pause or a manual rollback, and makes a pass.\n\n" + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.word(cmd, "resume", reconcile.ActRequest{App: args[0]})
		},
	}
}
