package main

import (
	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) rollbackVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "rollback APP [REVISION]",
		Short:             "Put an earlier good revision back, and hold it",
		Long:              "Puts an earlier good revision of the app back: the one before the current, or\nREVISION. It is held until the app's content changes in the repository, or until\nsyncd resume APP.\n\n" + exitHelp + "\nA rollback that ends as asked for exits with 0.",
		Args:              func(cmd *cobra.Command, args []string) error { return between(cmd, args, 1, 2) },
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := reconcile.ActRequest{App: args[0]}
			if len(args) == 2 {
				req.Revision = args[1]
			}
			return c.word(cmd, "rollback", req)
		},
	}
}
