package main

import "github.com/spf13/cobra"

const adoptHelp = `Takes over the containers, networks and volumes of a running Compose project, or on
a cluster the objects that kubectl, Helm, Flux or Argo CD has made, or those of an
app that another syncd agent keeps (one whose state directory was lost, say). It
prints what stays untouched, what would be replaced and why, and who kept it, before
it does anything; then it asks, or acts where --yes is given. An agent that loses an
app reports it as blocked, and leaves it alone.

`

func (c *cli) adoptVerb() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:               "adopt APP",
		Short:             "Take over what somebody else started, without a restart",
		Long:              adoptHelp + exitHelp,
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.confirmed(cmd, "adopt", args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}
