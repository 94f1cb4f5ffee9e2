package main

import (
	"slices"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

const driftHelp = `Says what differs from what syncd has put, object by object and field by field: since
when, from which revision, and, where that is known, who changed it. What drift.ignore
allows to differ is named with its reason.

Drift that is over stands in syncd history, with how long it lasted.

Exit codes:
  0  nothing differs
  5  something does
  1  any other error, such as an engine or a cluster that does not answer`

func (c *cli) driftVerb() *cobra.Command {
	return &cobra.Command{
		Use:               "drift [APP...]",
		Short:             "Say what somebody else has changed, where, and since when",
		Long:              driftHelp,
		ValidArgsFunction: c.apps,
		RunE: func(cmd *cobra.Command, apps []string) error {
			return c.standing(cmd.Context(), apps, func(st reconcile.Status) error {
				if err := c.print(driftsIn(st), func() string { return c.style().Drift(st) }); err != nil {
					return err
				}
				return exit(driftCode(st))
			})
		},
	}
}

// appDrift is what differs of one app.
type appDrift struct {
	App   string `json:"app"`
	Owner string `json:"owner,omitempty"`
	// Incident is nil where nothing differs.
	Incident *reconcile.IncidentStatus `json:"incident,omitempty"`
	Ignored  []reconcile.IgnoredField  `json:"ignored,omitempty"`
}

// driftsIn are the apps of which something differs.
func driftsIn(st reconcile.Status) []appDrift {
	out := []appDrift{}
	for _, a := range st.Apps {
		if a.Incident != nil || len(a.Ignored) > 0 {
			out = append(out, appDrift{a.Name, a.Owner, a.Incident, a.Ignored})
		}
	}
	return out
}

func driftCode(st reconcile.Status) int {
	switch {
	case st.EngineError != "":
		return reconcile.Unreachable.ExitCode()
	case slices.ContainsFunc(st.Apps, func(a reconcile.AppStatus) bool { return a.Incident != nil }):
		return reconcile.Pending.ExitCode()
	}
	return 0
}
