package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

const gateHelp = `What a person does with gates. Which ports they publish, the repository says
(x-syncd.gate); what they do now, syncd status APP.`

const gateEnableHelp = `Takes the ports over that the repository wants gates for, in a pass that is made
now: a merge alone does it too, where sync.auto does not say no. It prints the plan
and the gap to expect before it does anything; then it asks, or acts where --yes is
given, and says the gap that it measured. Where the repository asks for no gate, it
says what to write there, and does nothing.

` + exitHelp

const gateReleaseHelp = `Gives the ports back that gates publish and that the repository wants no gates for
any more (gate: none, or taken out), in a pass that is made now: a merge alone does it
too, where sync.auto does not say no. It prints the plan and the gap to expect before
it does anything; then it asks, or acts where --yes is given, and says the gap that it
measured. Where the repository still asks for the gate, it says what to write there,
and does nothing. What hands a whole app back is syncd release.

` + exitHelp

const gateUpgradeHelp = `Puts gates of this syncd's own program in the place of those that run another one:
no pass ever does. One after the other, each new one is made first, and the old one
goes on until nothing is in flight, or for as long as its drain; then it is stopped
and the new one started. Where that does not open the port, the old one is started
again. It prints which gates it would renew, and the gap to expect, and asks, or acts
where --yes is given.

Exit codes: 0 done, or nothing to do; 1 any error.`

func (c *cli) gateVerb() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gate",
		Short: "Let gates take ports over or give them back, and renew gates",
		Long:  gateHelp,
		Args:  verbArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.gateEnableVerb(), c.gateReleaseVerb(), c.gateUpgradeVerb())
	return cmd
}

func (c *cli) gateEnableVerb() *cobra.Command {
	return c.gateHands(&cobra.Command{
		Use:     "enable APP [SERVICE...]",
		Short:   "Take the ports over now that the repository wants gates for",
		Long:    gateEnableHelp,
		Example: "  syncd gate enable shop\n  syncd gate enable shop web --yes",
	}, "gate-enable")
}

func (c *cli) gateReleaseVerb() *cobra.Command {
	return c.gateHands(&cobra.Command{
		Use:     "release APP [SERVICE...]",
		Short:   "Give the ports back now that the repository wants no gates for any more",
		Long:    gateReleaseHelp,
		Example: "  syncd gate release shop\n  syncd gate release shop web --yes",
	}, "gate-release")
}

// gateHands completes a verb by which ports change hands.
func (c *cli) gateHands(cmd *cobra.Command, verb string) *cobra.Command {
	yes := false
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		const least, most = 1, 1000
		return between(cmd, args, least, most)
	}
	cmd.ValidArgsFunction = c.appThenServices
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.confirmedFor(cmd, verb, reconcile.ActRequest{App: args[0], Services: args[1:]}, yes)
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (c *cli) gateUpgradeVerb() *cobra.Command {
	yes := false
	cmd := &cobra.Command{
		Use:               "upgrade [APP]",
		Short:             "Renew the gates that run another program than this syncd's",
		Long:              gateUpgradeHelp,
		Args:              func(cmd *cobra.Command, args []string) error { return between(cmd, args, 0, 1) },
		ValidArgsFunction: c.app,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.upgradeGates(cmd.Context(), args, yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// upgrade is what would become of one app's gates.
type upgrade struct {
	reconcile.ActRequest
	reconcile.ActResult
}

// upgradeGates renews the gates of an app, or of all.
func (c *cli) upgradeGates(ctx context.Context, apps []string, yes bool) error {
	hear, end := c.watch()
	return c.use(ctx, wiring{engine: required, progress: hear}, func(a *agent) error {
		all, idle, err := c.upgrades(ctx, a, apps, hear)
		end()
		if err != nil {
			return known(ctx, a, apps, err)
		}
		if len(all) == 0 {
			return c.print(list(idle), func() string { return c.actTexts(idle) })
		}
		if agreed, err := c.agreedUpgrades(all, idle, apps, yes); err != nil || !agreed {
			return err
		}
		var done []reconcile.ActResult
		if c.flags.output == asJSON { // else they were told of before
			done = idle
		}
		for _, u := range all {
			u.Confirm, u.Plan = true, u.Digest
			result, err := a.Act(ctx, "gate-upgrade", u.ActRequest, hear)
			end()
			if err != nil {
				return errors.Join(err, c.print(list(done), func() string { return c.actTexts(done) }))
			}
			done = append(done, result)
		}
		return c.print(done, func() string { return c.actTexts(done) })
	})
}

// upgrades asks what would be done, app by app; idle says why nothing would be.
func (c *cli) upgrades(ctx context.Context, a *agent, apps []string, hear func(reconcile.Event)) (all []upgrade, idle []reconcile.ActResult, err error) {
	named := len(apps) > 0
	if !named {
		if apps, err = appNames(ctx, a); err != nil {
			return nil, nil, err
		}
	}
	for _, app := range apps {
		req := reconcile.ActRequest{App: app, Who: who()}
		would, err := a.Act(ctx, "gate-upgrade", req, hear)
		switch {
		case !named && fault.Of(err) == fault.Blocked: // the others are not to wait for it
			idle = append(idle, reconcile.ActResult{Text: err.Error(), Idle: true})
		case err != nil:
			return nil, nil, err
		case would.Idle:
			idle = append(idle, would)
		default:
			all = append(all, upgrade{req, would})
		}
	}
	return all, idle, nil
}

// agreedUpgrades prints what would be done, and why nothing where that is so, and
// tells whether to do it.
func (c *cli) agreedUpgrades(all []upgrade, idle []reconcile.ActResult, apps []string, yes bool) (bool, error) {
	var texts, names []string
	for _, r := range idle {
		texts = append(texts, r.Text)
	}
	for _, u := range all {
		texts, names = append(texts, u.Text), append(names, u.App)
	}
	would := reconcile.ActResult{Text: strings.Join(texts, "\n")}
	if yes && c.flags.output == asJSON {
		return true, nil
	}
	if err := c.print([]reconcile.ActResult{would}, func() string { return c.actText(would) }); err != nil {
		return false, err
	}
	if yes || c.flags.output != asJSON && c.ask("gate upgrade", strings.Join(names, ", ")) {
		return true, nil
	}
	c.note("nothing was done; syncd " + strings.Join(append([]string{"gate upgrade"}, apps...), " ") + " --yes does it")
	return false, nil
}

func (c *cli) actTexts(results []reconcile.ActResult) string {
	var b strings.Builder
	for _, r := range results {
		b.WriteString(c.actText(r))
	}
	return b.String()
}
