package main

import "github.com/spf13/cobra"

func (c *cli) adoptVerb() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:               "adopt APP",
		Short:             "Take over what docker compose up started, without a restart",
		Long:              "Takes over the containers, networks and volumes of a running Compose project. It\nprints what stays untouched, and what would be replaced and why, before it does\nanything; then it asks, or acts where --yes is given.\n\n" + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.confirmed(cmd, "adopt", args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
