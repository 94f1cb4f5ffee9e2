package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/state"
)

// defaultEntries is how many entries fit on a screen.
const defaultEntries = 20

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
				entries, err := a.History(cmd.Context(), args[0], 0) // all: how many are left out has to be said
				if err != nil {
					return known(cmd.Context(), a, args, err)
				}
				return c.printHistory(entries, limit)
			})
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", defaultEntries, "how many entries, the newest first")
	return cmd
}

// printHistory prints the newest entries, and says how many older ones there are:
// in the text, or beside the JSON.
func (c *cli) printHistory(entries []state.Entry, limit int) error {
	if older := len(entries) - limit; older > 0 && c.flags.output == asJSON {
		c.note(fmt.Sprintf("%d older entries are left out: --limit %d shows them too", older, len(entries)))
	}
	return c.print(list(entries[:min(limit, len(entries))]), func() string { return c.style().History(entries, limit) })
}
