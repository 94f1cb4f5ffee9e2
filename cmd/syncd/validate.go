package main

import (
	"context"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

const validateHelp = `Checks a local directory as CI does before a merge: every app is rendered, every
setting checked against its schema, and apps against each other (dependencies,
ports, container names, objects of a cluster). It needs no engine, no cluster and no
state, and the network only for Helm charts that are in a repository of their own.

Values that only a host has (host.vars, host.envFiles) come from the file that
--config names; with it, only the apps of that host, or of its cluster, are looked
at. What waits for a person on a host, and not for the author, is a warning.

Exit codes: 0 nothing is wrong, 1 something is.`

func (c *cli) validateVerb() *cobra.Command {
	return &cobra.Command{
		Use:     "validate DIR",
		Short:   "Check a directory before it is merged, without an engine",
		Long:    validateHelp,
		Example: "  syncd validate .\n  syncd validate deploy --config hosts/berlin-1.yaml -o json",
		Args:    oneApp,
		RunE:    func(cmd *cobra.Command, args []string) error { return c.validate(cmd.Context(), args[0]) },
	}
}

func (c *cli) validate(ctx context.Context, dir string) error {
	host, err := c.hostForValidation()
	if err != nil {
		return err
	}
	child, err := sandbox.Find(ctx)
	if err != nil {
		return err
	}
	snapshot, err := source.LoadDir(ctx, dir, host.Limits)
	if err != nil && fault.Advice(err) == "" {
		err = fault.Hint(err, "name the directory that holds the apps, or one app's own")
	}
	if err != nil {
		return err
	}
	v := &validation{host: host, child: &render.Child{Sandbox: child, Limits: host.Limits}, snapshot: snapshot, fixed: c.flags.config != ""}
	verdicts, err := v.withCharts(ctx, child)
	if err != nil {
		return err
	}
	if err := c.print(list(verdicts), func() string { return verdictsText(verdicts) }); err != nil {
		return err
	}
	for _, v := range verdicts {
		if len(v.Problems) > 0 {
			return exit(1)
		}
	}
	return nil
}

// hostForValidation is the host of --config only: what CI finds must not depend
// on the machine that it runs on.
func (c *cli) hostForValidation() (config.Host, error) {
	var host config.Host
	if c.flags.config != "" {
		var err error
		if host, err = config.LoadHost(c.flags.config); err != nil {
			return host, err
		}
	}
	if err := c.flags.overlay(&host); err != nil {
		return host, err
	}
	return host.Defaults(), nil
}
