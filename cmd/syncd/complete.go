package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/server"
)

// completionLimit is how long a shell waits for names.
const completionLimit = time.Second

// apps completes names of apps, as the running agent knows them. Without one
// nothing is opened for it: a keystroke takes no lock.
func (c *cli) apps(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := c.settings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionLimit)
	defer cancel()
	names, err := appNames(ctx, server.Client{Socket: s.host.Socket})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(args, n) })
	return names, cobra.ShellCompDirectiveNoFileComp
}

// app completes the only app of a verb.
func (c *cli) app(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.apps(cmd, args, begun)
}

// appThenServices completes an app, and behind it the services that it runs.
func (c *cli) appThenServices(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return c.apps(cmd, args, begun)
	}
	s, err := c.settings()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionLimit)
	defer cancel()
	st, err := server.Client{Socket: s.host.Socket}.Status(ctx, nil)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, app := range st.Apps {
		for _, svc := range app.Services {
			if app.Name == args[0] && !slices.Contains(args[1:], svc.Service) {
				names = append(names, svc.Service)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
