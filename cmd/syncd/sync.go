package main

import (
	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

func (c *cli) syncVerb() *cobra.Command {
	var accept string
	cmd := &cobra.Command{
		Use:               "sync [APP...]",
		Short:             "Make one pass, and say how it ended",
		Long:              "Looks at the repository, applies what differs in the named apps (in all, where\nnone is named), waits until they are healthy, and says how it ended.\n\n" + exitHelp,
		Example:           "  syncd sync\n  syncd sync shop\n  syncd sync --repo https://git.example.org/deploy.git --path hosts/berlin-1 --state /var/lib/syncd",
		ValidArgsFunction: c.apps,
		RunE: func(cmd *cobra.Command, apps []string) error {
			hear, end := c.watch()
			return c.use(cmd.Context(), wiring{engine: required, progress: hear}, func(a *agent) error {
				results, err := a.Sync(cmd.Context(), reconcile.SyncRequest{Apps: apps, Who: who(), AcceptRewrite: accept}, hear)
				end()
				if err != nil {
					return known(cmd.Context(), a, apps, err)
				}
				if err := c.print(list(results), func() string { return c.style().Results(results) }); err != nil {
					return err
				}
				return exit(reconcile.Gravest(results))
			})
		},
	}
	cmd.Flags().StringVar(&accept, "accept-rewrite", "", "follow this `COMMIT`, which is refused as older than what was accepted, or as of another history")
	return cmd
}
