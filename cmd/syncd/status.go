package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

const statusHelp = `Says of every app whether it is what the repository asks for, and healthy; which
revision and which images it runs; and of those that are not, why, and what to do.

Status words:
  Synced       it runs what the repository asks for
  OutOfSync    something differs, and is not being applied
  Progressing  something is being applied
  RolledBack   the wanted revision failed, and the last good one is back
  Held         a person rolled back; it stays so until the content changes
  Halted       it failed, and a person has to act
  Blocked      consent, a window or a dependency is missing
  Paused       a person asked for it to be left alone
  Unknown      the engine, or the cluster, does not answer
Health words: Healthy, Progressing, Degraded, Unknown.

Exit codes:
  0  every app is Synced and Healthy
  3  the wanted revision is not what runs (yet)
  4  halted
  5  blocked, paused, out of sync, or degraded
  1  any other error, such as a repository, an engine or a cluster that does not answer
With several apps the gravest counts: 4, 1, 3, 5, 0.`

func (c *cli) statusVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "status [APP...]",
		Short:             "Say what runs, and whether it is what is wanted",
		Long:              statusHelp,
		ValidArgsFunction: c.apps,
		RunE: func(cmd *cobra.Command, apps []string) error {
			return c.standing(cmd.Context(), apps, func(st reconcile.Status) error {
				st.Apps = list(st.Apps)
				if err := c.print(st, func() string { return c.style().Status(st) }); err != nil {
					return err
				}
				return exit(statusCode(st))
			})
		},
	}
}

// standing shows how apps are. An engine that does not answer is part of it.
func (c *cli) standing(ctx context.Context, apps []string, show func(reconcile.Status) error) error {
	return c.use(ctx, wiring{engine: optional, readOnly: true}, func(a *agent) error {
		st, err := a.Status(ctx, apps)
		if err != nil {
			return known(ctx, a, apps, err)
		}
		return show(st)
	})
}

// statusCode is the gravest of what the apps' words mean.
func statusCode(st reconcile.Status) int {
	var ends []reconcile.Result
	if st.SourceError != "" {
		ends = append(ends, reconcile.Result{Outcome: reconcile.Unreachable})
	}
	if st.EngineError != "" {
		ends = append(ends, reconcile.Result{Outcome: reconcile.Unreachable})
	}
	for _, a := range st.Apps {
		ends = append(ends, reconcile.Result{Outcome: outcomeOf(a)})
	}
	return reconcile.Gravest(ends)
}

// outcomeOf is an outcome with the exit code that an app's words stand for.
func outcomeOf(a reconcile.AppStatus) reconcile.Outcome {
	switch a.Status {
	case reconcile.WHalted:
		return reconcile.Halted
	case reconcile.WRolledBack, reconcile.WHeld, reconcile.Progressing:
		return reconcile.Held
	case reconcile.Unknown:
		return reconcile.Unreachable
	case reconcile.Synced:
		if slices.Contains([]reconcile.Word{reconcile.Unhealthy, reconcile.Progressing}, a.Health) {
			return reconcile.Degraded
		}
		return reconcile.Unchanged
	default:
		return reconcile.Blocked
	}
}
