package main

import "github.com/spf13/cobra"

func (c *cli) adoptVerb() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:               "adopt APP",
		Short:             "Take over what docker compose up started, without a restart",
		Long:              "Takes over the containers, networks and volumes of a running Compose project, or of\nan app that another syncd agent keeps (one whose state directory was lost, say). It\nprints what stays untouched, what would be replaced and why, and who kept it, before\nit does anything; then it asks, or acts where --yes is given. An agent that loses an\napp reports it as blocked, and leaves it alone.\n\n" + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.confirmed(cmd, "adopt", args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
