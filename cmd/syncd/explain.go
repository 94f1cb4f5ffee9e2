package main

import (
	"github.com/spf13/cobra"
)

func (c *cli) explainVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "explain APP",
		Short:             "Say why an app is as it is, who has to act, and what to type",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.use(cmd.Context(), wiring{engine: optional, readOnly: true}, func(a *agent) error {
				e, err := a.Explain(cmd.Context(), args[0])
				if err != nil {
					return known(cmd.Context(), a, args, err)
				}
				return c.print(e, func() string { return c.style().Explanation(e) })
			})
		},
	}
}
