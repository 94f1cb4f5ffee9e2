package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

// finding is what one check found.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	// Detail says what was found, Fix what to do about it.
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"`
}

func (c *cli) checkVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check what syncd needs on this host, each with its fix",
		Long:  "Checks the engine or the cluster, the repository, the credentials, the clock, the\ndisk, the program that renders, the agent's socket, the secrets of webhooks, and\nthe templates and secrets of notifications and feedback. It changes nothing and\ntells nobody.\n\nExit codes: 0 all is well, 1 something is not.",
		Args:  func(cmd *cobra.Command, args []string) error { return between(cmd, args, 0, 0) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			if s.unread != nil {
				return s.unread
			}
			return c.report(checkAll(cmd.Context(), s.host))
		},
	}
}

// checkAll runs every check; none depends on another.
func checkAll(ctx context.Context, host config.Host) []finding {
	child, program := checkProgram(ctx)
	remotes, credentials := checkRemotes(ctx, host, child)
	found := append([]finding{program, checkTarget(ctx, host)}, remotes...)
	found = append(found, credentials, checkClock(ctx, host.Repo), checkDisk(host), checkSocket(ctx, host))
	return append(append(found, checkHooks(host.Webhook)...), append(checkWatchers(ctx, host), checkHeartbeat(host.Heartbeat)...)...)
}

func (c *cli) report(found []finding) error {
	if err := c.print(found, func() string { return findingsText(found) }); err != nil {
		return err
	}
	for _, f := range found {
		if !f.OK {
			return exit(1)
		}
	}
	return nil
}

func findingsText(found []finding) string {
	text := ""
	for _, f := range found {
		word := "ok  "
		if !f.OK {
			word = "FAIL"
		}
		text += fmt.Sprintf("%s  %-12s %s\n", word, f.Check, resource.Harmless(f.Detail, 600))
		if f.Fix != "" {
			text += fmt.Sprintf("      fix: %s\n", resource.Harmless(f.Fix, 600))
		}
	}
	return text
}
