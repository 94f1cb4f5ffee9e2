package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/cmd/syncd/internal/show"
	"syncd.io/syncd/internal/reconcile"
)

const planHelp = `Says what a pass would do and why: the fields that differ, how each service is
replaced and why in that way, the gap to expect, the memory that it takes
meanwhile, which one-shots run, whether there is a way back, and every step.
Nothing is changed, and no image is pulled.

With --ref it shows another branch, tag or commit, before it is merged; with
--dir, or a path such as ./deploy in the place of an app, a local directory.

Exit codes:
  0  the plan was made
  2  with --exit-code: there are differences
  1  any error`

// planFlags are what plan is asked for besides apps.
type planFlags struct {
	ref, dir string
	code     bool
}

func (c *cli) planVerb() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:               "plan [APP...] [DIR]",
		Short:             "Say what a pass would do, and why",
		Long:              planHelp,
		Example:           "  syncd plan\n  syncd plan shop --ref new-price -o markdown\n  syncd plan ./deploy --exit-code",
		ValidArgsFunction: c.apps,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.plan(cmd, f, args) },
	}
	cmd.Flags().StringVar(&f.ref, "ref", "", "`branch`, tag or commit to look at instead of the followed one")
	cmd.Flags().StringVar(&f.dir, "dir", "", "local `directory` to look at instead of the repository")
	cmd.Flags().BoolVar(&f.code, "exit-code", false, "exit with 2 when there are differences")
	cmd.MarkFlagsMutuallyExclusive("ref", "dir")
	return cmd
}

func (c *cli) plan(cmd *cobra.Command, f planFlags, args []string) error {
	req, err := f.request(args)
	if err != nil {
		return err
	}
	return c.use(cmd.Context(), wiring{engine: required, readOnly: true}, func(a *agent) error {
		previews, err := a.Plan(cmd.Context(), req)
		if err != nil {
			return known(cmd.Context(), a, req.Apps, err)
		}
		if err := c.printPlan(previews); err != nil {
			return err
		}
		if f.code && slices.ContainsFunc(previews, reconcile.Preview.Differs) {
			return exit(2)
		}
		return nil
	})
}

func (c *cli) printPlan(previews []reconcile.Preview) error {
	if c.flags.output == asMarkdown {
		return write(c.out, show.Markdown(previews))
	}
	return c.print(list(previews), func() string { return c.style().Plan(previews) })
}

// request tells directories from apps: a directory has a slash in it, or is a
// dot. A bare name is an app, also where a directory is called the same.
func (f planFlags) request(args []string) (reconcile.PlanRequest, error) {
	req := reconcile.PlanRequest{Ref: f.ref, Dir: f.dir}
	for _, arg := range args {
		switch {
		case !strings.Contains(arg, "/") && arg != "." && arg != "..":
			req.Apps = append(req.Apps, arg)
		case req.Dir != "":
			return req, hinted("give one of them", "plan: %q and %q are two directories", req.Dir, arg)
		default:
			req.Dir = arg
		}
	}
	if req.Dir == "" {
		return req, nil
	}
	if req.Ref != "" {
		return req, hinted("give one of them", "plan: --ref %s and the directory %s are two things to look at", req.Ref, req.Dir)
	}
	if info, err := os.Stat(req.Dir); err != nil || !info.IsDir() {
		return req, hinted("name a directory with the repository's content, or an app", "plan: there is no directory %s", req.Dir)
	}
	abs, err := filepath.Abs(req.Dir)
	if err != nil {
		return req, fmt.Errorf("find directory %s: %w", req.Dir, err)
	}
	req.Dir = abs
	return req, nil
}
