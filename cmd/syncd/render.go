package main

import (
	"bytes"

	"github.com/spf13/cobra"
)

func (c *cli) renderVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "render APP",
		Short:             "Show the objects that an app renders to, secrets masked",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.use(cmd.Context(), wiring{engine: optional, readOnly: true}, func(a *agent) error {
				data, err := a.Rendered(cmd.Context(), args[0])
				if err != nil {
					return known(cmd.Context(), a, args, err)
				}
				return write(c.out, string(bytes.TrimRight(data, "\n"))+"\n")
			})
		},
	}
}
