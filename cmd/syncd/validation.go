package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"syncd.io/syncd/cmd/syncd/internal/policy"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/chart"
)

// validation is one run over a directory.
type validation struct {
	host     config.Host
	child    *render.Child
	snapshot source.Snapshot
	// fixed tells that one host is meant, and not any.
	fixed bool
	// charts fetches those that are not in the directory.
	charts *chart.Store
	// took gets the objects of each app that renders; nil is nobody.
	took func([]resource.Object)
}

// withCharts runs it with a cache of charts of its own: there is no state.
func (v *validation) withCharts(ctx context.Context, child sandbox.Child) (verdicts []verdict, err error) {
	dir, err := os.MkdirTemp("", "syncd-validate-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for charts: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	v.charts = chart.New(chart.Options{Dir: dir, CAFile: v.host.Repo.Auth.CAFile, Limits: v.host.Limits, Sandbox: child})
	return v.all(ctx)
}

func (v *validation) all(ctx context.Context) ([]verdict, error) {
	values, secret, _, err := config.Values(v.host.Host)
	if err != nil {
		return nil, fmt.Errorf("read the host's values: %w", err)
	}
	var verdicts []verdict
	found := 0
	for _, cluster := range v.targets() {
		here, n, err := v.target(ctx, cluster, values, secret)
		if err != nil {
			return nil, err
		}
		verdicts, found = append(verdicts, here...), found+n
	}
	if found == 0 {
		return nil, hinted(v.wants(), "there is no app in %s", v.snapshot.Dir)
	}
	return verdicts, nil
}

// targets are what the directory is looked at for, clusters being true: that of the
// host; where no host is meant, both, for a repository may hold apps of both.
func (v *validation) targets() []bool {
	switch {
	case v.host.Kubernetes != nil:
		return []bool{true}
	case v.fixed || v.host.Docker != "":
		return []bool{false}
	default:
		return []bool{false, true}
	}
}

// wants says what would be an app.
func (v *validation) wants() string {
	const compose, cluster = "a directory with a compose.yaml", "one with manifests, a kustomization or a Helm chart"
	switch targets := v.targets(); {
	case len(targets) == 2:
		return "an app is " + compose + ", or for a cluster " + cluster
	case targets[0]:
		return "an app of a cluster is " + cluster
	default:
		return "an app is " + compose
	}
}

// target checks the apps of one kind of target, and says how many there are.
func (v *validation) target(ctx context.Context, cluster bool, values map[string]string, secret []string) ([]verdict, int, error) {
	tracked, refused := v.snapshot.Tracked()
	found, err := v.child.Discover(ctx, render.DiscoverRequest{Root: v.snapshot.Dir, Path: v.host.Repo.Path, Refused: refused, Kubernetes: cluster, Values: values})
	if err != nil {
		return nil, 0, err
	}
	shared := &render.Shared{Root: v.snapshot.Dir, Kubernetes: cluster, Values: values, Secret: secret, Tracked: tracked, Refused: refused}
	wanted := slices.DeleteFunc(slices.Clone(found.Apps), func(app render.App) bool {
		return v.fixed && !app.Config.Hosts.Matches(v.host.Host.Labels)
	})
	verdicts, objects, err := v.each(ctx, shared, wanted)
	if err != nil {
		return nil, 0, err
	}
	var apps []policy.App
	for i, app := range wanted {
		file := app.Dir
		if !cluster {
			file = app.File(tracked)
		}
		apps = append(apps, policy.App{Name: app.Name, Dir: app.Dir, File: file, Config: app.Config, Objects: objects[i]})
	}
	return withPolicy(verdicts, policy.Check(apps)), len(found.Apps), nil
}

// atOnce is how many apps are asked for at a time. Those that have to wait are
// rendered together.
const atOnce = 200

// each renders apps, in whatever order; what comes of them is in theirs.
func (v *validation) each(ctx context.Context, shared *render.Shared, apps []render.App) ([]verdict, [][]resource.Object, error) {
	verdicts, objects := make([]verdict, len(apps)), make([][]resource.Object, len(apps))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(atOnce)
	for i, app := range apps {
		all.Go(func() (err error) {
			verdicts[i], objects[i], err = v.one(ctx, render.Request{Shared: shared, App: app, HostDir: app.Config.HostDir})
			return err
		})
	}
	return verdicts, objects, all.Wait()
}

// one renders an app. The error is of what is not the app's fault.
func (v *validation) one(ctx context.Context, req render.Request) (verdict, []resource.Object, error) {
	app := req.App
	out := verdict{App: app.Name, Dir: app.Dir, Problems: []problem{}}
	if app.Error != "" {
		out.Problems = append(out.Problems, problem{app.Error, app.Hint})
		return out, nil, nil
	}
	if err := v.fetch(ctx, &req); err != nil && ctx.Err() == nil {
		out.blame(err, fault.Of(err) == fault.Rejected)
		return out, nil, nil
	}
	answer, err := v.child.Render(ctx, req)
	switch class := fault.Of(err); class {
	case fault.Rejected, fault.Blocked:
		out.blame(err, class == fault.Rejected)
		return out, nil, nil
	}
	out.Objects = len(answer.Objects)
	out.Notes = append(answer.Notes, reconcile.IdleRules(app.Config.Drift, answer.Objects)...)
	if err == nil && v.took != nil {
		v.took(answer.Objects)
	}
	return out, answer.Objects, err
}

// fetch has the app's chart fetched where it is not in the directory.
func (v *validation) fetch(ctx context.Context, req *render.Request) (err error) {
	want := req.App.Config.Kubernetes.Helm.Chart
	if !req.Kubernetes || want.Repo == "" {
		return nil
	}
	if req.Chart, err = v.charts.Fetch(ctx, want); err != nil {
		return fmt.Errorf("render app %s: %w", req.App.Name, err)
	}
	return nil
}

// blame adds what is wrong: for the author to mend, or for others.
func (v *verdict) blame(err error, author bool) {
	if author {
		v.Problems = append(v.Problems, renderProblem(err))
	} else {
		v.Warnings = append(v.Warnings, renderProblem(err))
	}
}

// renderProblem is a rendering's error without "render app NAME": the name stands
// above it, and its lines look alike.
func renderProblem(err error) problem {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return problem{err.Error(), fault.Advice(err)}
}

// withPolicy adds the problems between apps to the apps that have them.
func withPolicy(verdicts []verdict, problems []policy.Problem) []verdict {
	for _, p := range problems {
		for i := range verdicts {
			if verdicts[i].App == p.App {
				verdicts[i].Problems = append(verdicts[i].Problems, problem{p.Text, p.Hint})
				break
			}
		}
	}
	return verdicts
}
