package main

import (
	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) approveVerb() *cobra.Command {
	plan := ""
	cmd := &cobra.Command{
		Use:               "approve APP --plan DIGEST",
		Short:             "Consent to what a printed plan says",
		Long:              "Consents to the removals that a plan waits for (a volume, an app that is gone\nfrom the repository). The consent is bound to that plan, which syncd plan prints\nwith its digest, and is recorded with who gave it. A pass follows.\n\n" + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			if plan == "" {
				return hinted("syncd plan "+args[0]+" prints it", "approve: --plan DIGEST is missing")
			}
			return c.word(cmd, "approve", reconcile.ActRequest{App: args[0], Plan: plan})
		},
	}
	cmd.Flags().StringVar(&plan, "plan", "", "`digest` of the plan that was read")
	return cmd
}
