package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/reconcile"
)

// maxReply is how much of a reply is read, in bytes.
const maxReply = 100

// confirmed says what a verb would do, and does it after a yes. Without one
// (also with -o json, where there is nobody to ask) it only says so.
func (c *cli) confirmed(cmd *cobra.Command, verb, app string, yes bool) error {
	return c.confirmedFor(cmd, verb, reconcile.ActRequest{App: app}, yes)
}

// confirmedFor is confirmed with more to say than an app.
func (c *cli) confirmedFor(cmd *cobra.Command, verb string, req reconcile.ActRequest, yes bool) error {
	hear, end := c.watch()
	ctx, app := cmd.Context(), req.App
	req.Who = who()
	return c.use(ctx, wiring{engine: required, progress: hear}, func(a *agent) error {
		would, err := a.Act(ctx, verb, req, hear)
		end()
		if err != nil {
			return known(ctx, a, []string{app}, err)
		}
		if would.Idle {
			return c.told(verb, would)
		}
		whom := strings.Join(append([]string{app}, req.Services...), " ")
		if agreed, err := c.agreed(typed(verb), whom, would, yes); err != nil || !agreed {
			return err
		}
		req.Confirm, req.Plan = true, shownDigest(would)
		done, err := a.Act(ctx, verb, req, hear)
		end()
		if err != nil {
			return err
		}
		return c.told(verb, done)
	})
}

// agreed prints what would be done to whom, as a person types it, and tells
// whether to do it.
func (c *cli) agreed(verb, whom string, would reconcile.ActResult, yes bool) (bool, error) {
	json := c.flags.output == asJSON
	if yes && json {
		return true, nil // one document only: that of what was done
	}
	if err := c.print(would, func() string { return c.actText(would) }); err != nil {
		return false, err
	}
	if yes || !json && c.ask(verb, whom) {
		return true, nil
	}
	c.note("nothing was done; syncd " + verb + " " + whom + " --yes does it")
	return false, nil
}

// typed is a verb as a person types it: what gates do has two words.
func typed(verb string) string { return strings.Replace(verb, "gate-", "gate ", 1) }

// shownDigest is that of what was shown.
func shownDigest(would reconcile.ActResult) string {
	if would.Preview != nil {
		return would.Preview.Digest
	}
	return would.Digest
}

// ask takes nothing but a yes for a yes: not an end of input, nor an empty line.
func (c *cli) ask(verb, app string) bool {
	fmt.Fprintf(c.err, "%s %s? Type yes to go on: ", verb, app)
	reply, err := bufio.NewReader(io.LimitReader(c.in, maxReply)).ReadString('\n')
	fmt.Fprintln(c.err)
	return err == nil && strings.TrimSpace(reply) == "yes"
}
