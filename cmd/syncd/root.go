package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const rootHelp = `syncd keeps a Docker host, or a Kubernetes cluster, equal to a Git repository, shows
every difference, and puts the last healthy revision back when a change fails.

While an agent runs (syncd run), the other verbs talk to it; with none, they work
on the state directory themselves. Without a configuration file, --repo and
--state say what it would.`

// exitHelp is part of the help of every verb that ends with a pass's outcome.
const exitHelp = `Exit codes:
  0  in sync, or applied and healthy
  3  the wanted revision is not what runs (rolled back, or held since earlier)
  4  halted: it failed, and a person has to act
  5  blocked (consent, a window, a dependency), paused, or degraded
  1  any other error
With several apps the gravest counts: 4, 1, 3, 5, 0.`

// root is the command without a verb, with all verbs below it.
func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "syncd",
		Short:         "Keeps a Docker host, or a Kubernetes cluster, equal to a Git repository",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          verbArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return c.flags.check(cmd)
		},
	}
	c.flags.register(root)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(c.helpVerb(root))
	c.addVerbs(root)
	return root
}

func (c *cli) addVerbs(root *cobra.Command) {
	group := func(id, title string, verbs ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: id, Title: title})
		for _, v := range verbs {
			v.GroupID = id
			root.AddCommand(v)
		}
	}
	group("follow", "Follow a repository:", c.runVerb(), c.syncVerb())
	group("look", "Look, and change nothing:", c.planVerb(), c.statusVerb(), c.driftVerb(), c.explainVerb(), c.historyVerb(), c.logsVerb(), c.renderVerb(), c.validateVerb(), c.checkVerb())
	group("carry", "Carry revisions over an air gap:", c.packVerb(), c.unpackVerb())
	group("say", "Say what shall happen to an app:", c.approveVerb(), c.rollbackVerb(), c.retryVerb(), c.pauseVerb(), c.resumeVerb(), c.adoptVerb(), c.releaseVerb(), c.gateVerb())
	root.AddCommand(c.versionVerb())
}

// verbArgs refuses what is no verb.
func verbArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownVerb(cmd, args[0])
	}
	return nil
}

// oneApp takes exactly one app.
func oneApp(cmd *cobra.Command, args []string) error { return between(cmd, args, 1, 1) }

// between takes so many arguments.
func between(cmd *cobra.Command, args []string, least, most int) error {
	switch {
	case len(args) < least:
		return hinted("usage: "+cmd.UseLine(), "%s: too few arguments", cmd.Name())
	case len(args) > most:
		return hinted("usage: "+cmd.UseLine(), "%s: too many arguments: %s", cmd.Name(), fmt.Sprintf("%q", args[most]))
	}
	return nil
}
