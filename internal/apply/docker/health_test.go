package docker

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/resource"
)

func TestHealthOfOneInspect(t *testing.T) {
	const begun = "2026-01-02T03:04:05Z"
	probe := func(status string, streak, code int, output string) *container.Health {
		return &container.Health{Status: status, FailingStreak: streak, Log: []*container.HealthcheckResult{{ExitCode: code, Output: output}}}
	}
	code := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		state    container.State
		restarts int
		once     bool
		want     resource.State
		reason   string
		check    string
		exit     *int
		started  bool
	}{
		"created":                {state: container.State{Status: "created", StartedAt: "0001-01-01T00:00:00Z"}, want: resource.Progressing, reason: "not started"},
		"could not start":        {state: container.State{Status: "created", Error: "exec: \x1b[31mnot found", ExitCode: 127}, want: resource.Failed, reason: "did not start: exec: not found", exit: code(127), check: "exit"},
		"running":                {state: container.State{Status: "running", Running: true, StartedAt: begun}, want: resource.Well, check: "running", started: true},
		"running, once burned":   {state: container.State{Status: "running", Running: true, StartedAt: begun}, restarts: 5, want: resource.Well, check: "running", started: true},
		"starting":               {state: container.State{Status: "running", Running: true, Health: &container.Health{Status: "starting"}}, want: resource.Progressing, reason: "first probe", check: "healthcheck", started: true},
		"starting, probed":       {state: container.State{Status: "running", Running: true, Health: probe("starting", 1, 1, "503\n")}, want: resource.Progressing, reason: "exit 1: 503", check: "healthcheck", exit: code(1), started: true},
		"healthy":                {state: container.State{Status: "running", Running: true, Health: probe("healthy", 0, 0, "ok")}, want: resource.Well, check: "healthcheck", exit: code(0), started: true},
		"no healthcheck":         {state: container.State{Status: "running", Running: true, Health: &container.Health{Status: "none"}}, want: resource.Well, check: "running", started: true},
		"unhealthy":              {state: container.State{Status: "running", Running: true, Health: probe("unhealthy", 3, 1, "\x1b[1mboom\x1b[0m\n")}, want: resource.Failed, reason: "unhealthy after 3 probes: exit 1: boom", check: "healthcheck", exit: code(1), started: true},
		"was paused":             {state: container.State{Status: "running", Running: true, Health: probe("unhealthy", 0, 0, "ok")}, want: resource.Progressing, check: "healthcheck", exit: code(0), started: true},
		"unhealthy, no output":   {state: container.State{Status: "running", Running: true, Health: probe("unhealthy", 3, -1, "")}, want: resource.Failed, reason: "exit -1", check: "healthcheck", exit: code(-1), started: true},
		"restarting":             {state: container.State{Status: "restarting", Running: true, Restarting: true, ExitCode: 2, StartedAt: begun}, restarts: 1, want: resource.Progressing, reason: "exit 2", check: "restarts", exit: code(2), started: true},
		"crash loop":             {state: container.State{Status: "restarting", Running: true, Restarting: true, ExitCode: 2, StartedAt: begun}, restarts: 3, want: resource.Failed, reason: "restarts again and again (exit 2)", check: "restarts", exit: code(2), started: true},
		"exited":                 {state: container.State{Status: "exited", ExitCode: 0, StartedAt: begun}, want: resource.Failed, reason: "exit 0", check: "exit", exit: code(0), started: true},
		"out of memory":          {state: container.State{Status: "exited", ExitCode: 137, OOMKilled: true, StartedAt: begun}, want: resource.Failed, reason: "exit 137, out of memory", check: "exit", exit: code(137), started: true},
		"job running":            {state: container.State{Status: "running", Running: true, StartedAt: begun}, once: true, want: resource.Progressing, started: true},
		"job running, unhealthy": {state: container.State{Status: "running", Running: true, Health: probe("unhealthy", 3, 1, "")}, once: true, want: resource.Progressing, started: true},
		"job done":               {state: container.State{Status: "exited", StartedAt: begun}, once: true, want: resource.Well, check: "exit", exit: code(0), started: true},
		"job failed":             {state: container.State{Status: "exited", ExitCode: 4, StartedAt: begun}, once: true, want: resource.Failed, reason: "exit 4", check: "exit", exit: code(4), started: true},
		"paused":                 {state: container.State{Status: "paused", Running: true, Paused: true}, want: resource.Failed, reason: "paused", started: true},
		"dead":                   {state: container.State{Status: "dead", Dead: true, StartedAt: begun}, want: resource.Failed, reason: "being removed", started: true},
	} {
		t.Run(name, func(t *testing.T) {
			got := health(container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{State: &c.state, RestartCount: c.restarts}}, c.once)
			if got.State != c.want || !strings.Contains(got.Reason, c.reason) || got.Started != c.started || got.Restarts != c.restarts {
				t.Errorf("got %+v", got)
			}
			if c.check != "" && got.Check != c.check {
				t.Errorf("check %q, want %q", got.Check, c.check)
			}
			if (got.ExitCode == nil) != (c.exit == nil) || c.exit != nil && *got.ExitCode != *c.exit {
				t.Errorf("exit code %v, want %v", got.ExitCode, c.exit)
			}
		})
	}
}
