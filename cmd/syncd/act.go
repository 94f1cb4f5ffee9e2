package main

import (
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
)

// word is a verb by which a person says what shall happen to one app.
func (c *cli) word(cmd *cobra.Command, verb string, req reconcile.ActRequest) error {
	hear, end := c.watch()
	req.Who = who()
	return c.use(cmd.Context(), wiring{engine: required, progress: hear}, func(a *agent) error {
		result, err := a.Act(cmd.Context(), verb, req, hear)
		end()
		if err != nil {
			return known(cmd.Context(), a, []string{req.App}, err)
		}
		return c.told(verb, result)
	})
}

// told prints what came of a word, and ends with its exit code.
func (c *cli) told(verb string, result reconcile.ActResult) error {
	if err := c.print(result, func() string { return c.actText(result) }); err != nil {
		return err
	}
	if result.Result == nil {
		return nil
	}
	return exit(actCode(verb, result.Result.Outcome))
}

func (c *cli) actText(result reconcile.ActResult) string {
	var b strings.Builder
	for line := range strings.Lines(result.Text) {
		b.WriteString(resource.Harmless(line, 600) + "\n")
	}
	if result.Preview != nil {
		b.WriteString("\n" + c.style().Plan([]reconcile.Preview{*result.Preview}))
	}
	if result.Result != nil {
		b.WriteString(c.style().Results([]reconcile.Result{*result.Result}))
	}
	return b.String()
}

// actCode is the exit code after a word: an app that is as the person asked for
// is no failure.
func actCode(verb string, o reconcile.Outcome) int {
	switch {
	case verb == "pause" && o == reconcile.Paused:
		return 0
	case verb == "rollback" && (o == reconcile.Held || o == reconcile.RolledBack):
		return 0
	}
	return o.ExitCode()
}
