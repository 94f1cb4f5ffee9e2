package main

import "github.com/spf13/cobra"

func (c *cli) logsVerb() *cobra.Command {
	attempt := ""
	cmd := &cobra.Command{
		Use:               "logs APP",
		Short:             "Show what was kept of the instances that failed",
		Long:              "Shows the last output of the containers and pods that failed, as it was kept when\nthey were replaced. Of what runs now, docker logs and kubectl logs tell.",
		Example:           "  syncd logs shop --attempt 1a2b3c4d5e",
		Args:              oneApp,
		ValidArgsFunction: c.app,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.use(cmd.Context(), wiring{engine: unneeded, readOnly: true}, func(a *agent) error {
				logs, err := a.Logs(cmd.Context(), args[0], attempt)
				if err != nil {
					return known(cmd.Context(), a, args, err)
				}
				if len(logs) == 0 && attempt != "" {
					return hinted("syncd history "+args[0]+" lists the attempts", "nothing of app %s failed in an attempt at %q, or its log is no longer kept", args[0], attempt)
				}
				if len(logs) == 0 {
					c.note("nothing of app " + args[0] + " has failed")
				}
				return c.print(list(logs), func() string { return c.style().Logs(logs) })
			})
		},
	}
	cmd.Flags().StringVar(&attempt, "attempt", "", "only the attempt at this `revision` (a commit or its first digits)")
	return cmd
}
