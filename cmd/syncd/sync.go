package main

import (
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

const syncHelp = `Looks at the repository, applies what differs in the named apps (in all, where
none is named), waits until they are healthy, and says how it ended.

An app whose window is closed is left as it is. --force goes through the window;
its reason, and who gave it, stand in the history.

`

func (c *cli) syncVerb() *cobra.Command {
	req := reconcile.SyncRequest{}
	cmd := &cobra.Command{
		Use:               "sync [APP...]",
		Short:             "Make one pass, and say how it ended",
		Long:              syncHelp + exitHelp,
		Example:           "  syncd sync\n  syncd sync shop\n  syncd sync shop --force --reason \"the till is down\"\n  syncd sync --repo https://git.example.org/deploy.git --path hosts/berlin-1 --state /var/lib/syncd",
		ValidArgsFunction: c.apps,
		RunE: func(cmd *cobra.Command, apps []string) error {
			if err := forcedWell(req); err != nil {
				return err
			}
			req.Apps, req.Who = apps, who()
			hear, end := c.watch()
			return c.use(cmd.Context(), wiring{engine: required, progress: hear}, func(a *agent) error {
				results, err := a.Sync(cmd.Context(), req, hear)
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
	cmd.Flags().BoolVar(&req.Force, "force", false, "go through a closed window; wants --reason")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why it is forced, or accepted, for those who read the history")
	cmd.Flags().StringVar(&req.AcceptRewrite, "accept-rewrite", "", "follow this `COMMIT`, which is refused as older than what was accepted, or as of another history")
	return cmd
}

// forcedWell refuses force without a reason, and a reason for nothing, before anybody
// is asked.
func forcedWell(req reconcile.SyncRequest) error {
	switch {
	case req.Force && strings.TrimSpace(req.Reason) == "":
		return hinted("say why, for those who read the history: --reason TEXT", "--force needs a reason")
	case !req.Force && req.AcceptRewrite == "" && req.Reason != "":
		return hinted("add --force to go through a closed window, or leave the reason out", "--reason belongs to --force, or to --accept-rewrite")
	}
	return nil
}
