package main

import "github.com/spf13/cobra"

func (c *cli) releaseVerb() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:               "release APP",
		Short:             "Hand an app back, stopping nothing",
		Long:              "Hands the app back: nothing is stopped or removed, syncd leaves it alone from now on,\nand docker compose, or kubectl, can go on with it. It says so first, and asks, or acts\nwhere --yes is given. syncd adopt takes it over again.",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.confirmed(cmd, "release", args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
