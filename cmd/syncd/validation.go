package main

import (
	"context"
	"errors"
	"fmt"

	"syncd.io/syncd/cmd/syncd/internal/policy"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// validation is one run over a directory.
type validation struct {
	host     config.Host
	child    render.Child
	snapshot source.Snapshot
	// fixed tells that one host is meant, and not any.
	fixed bool
}

func (v *validation) all(ctx context.Context) ([]verdict, error) {
	values, secret, _, err := config.Values(v.host.Host)
	if err != nil {
		return nil, fmt.Errorf("read the host's values: %w", err)
	}
	tracked, refused := v.snapshot.Tracked()
	found, err := v.child.Discover(ctx, render.DiscoverRequest{Root: v.snapshot.Dir, Path: v.host.Repo.Path, Refused: refused})
	if err != nil {
		return nil, err
	}
	if len(found.Apps) == 0 {
		return nil, hinted("an app is a directory with a compose.yaml", "there is no app in %s", v.snapshot.Dir)
	}
	var verdicts []verdict
	var apps []policy.App
	for _, app := range found.Apps {
		if v.fixed && !app.Config.Hosts.Matches(v.host.Host.Labels) {
			continue
		}
		req := render.Request{
			Root: v.snapshot.Dir, App: app, Values: values, Secret: secret,
			HostDir: app.Config.HostDir, Tracked: tracked, Refused: refused,
		}
		one, objects, err := v.one(ctx, req)
		if err != nil {
			return nil, err
		}
		verdicts = append(verdicts, one)
		apps = append(apps, policy.App{Name: app.Name, Dir: app.Dir, File: app.File(tracked), Config: app.Config, Objects: objects})
	}
	return withPolicy(verdicts, policy.Check(apps)), nil
}

// one renders an app. The error is of what is not the app's fault.
func (v *validation) one(ctx context.Context, req render.Request) (verdict, []resource.Object, error) {
	app := req.App
	out := verdict{App: app.Name, Dir: app.Dir, Problems: []problem{}}
	if app.Error != "" {
		out.Problems = append(out.Problems, problem{app.Error, app.Hint})
		return out, nil, nil
	}
	answer, err := v.child.Render(ctx, req)
	switch fault.Of(err) {
	case fault.Rejected:
		out.Problems = append(out.Problems, renderProblem(err))
		return out, nil, nil
	case fault.Blocked:
		out.Warnings = append(out.Warnings, renderProblem(err))
		return out, nil, nil
	}
	out.Objects, out.Notes = len(answer.Objects), answer.Notes
	return out, answer.Objects, err
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
