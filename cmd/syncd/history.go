package main

import "github.com/spf13/cobra"

func (c *cli) historyVerb() *cobra.Command {
	limit := 0
	cmd := &cobra.Command{
		Use:               "history APP",
		Short:             "Say what happened to an app: passes that changed something, and what people said",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return hinted("give a number from 1", "--limit %d is no number of entries", limit)
			}
			return c.use(cmd.Context(), wiring{engine: unneeded, readOnly: true}, func(a *agent) error {
				entries, err := a.History(cmd.Context(), args[0], limit)
				if err != nil {
					return known(cmd.Context(), a, args, err)
				}
				return c.print(list(entries), func() string { return c.style().History(entries) })
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many entries, the newest first")
	return cmd
}
