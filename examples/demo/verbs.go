package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// verbs are syncd's own, as a user types them while the agent runs.
type verbs struct {
	syncd  string
	config string
}

// status is what the story needs of `syncd status -o json`.
type status struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Health string `json:"health"`
	Reason string `json:"reason"`
	Good   struct {
		Commit string `json:"commit"`
	} `json:"good"`
}

// String is one line for a person.
func (s status) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s is %s, %s, good at %.10s; %s", s.Name, s.Status, s.Health, s.Good.Commit, s.Reason))
}

// ask runs a verb. The exit codes that speak about the apps, and not about the
// verb, are no error: 3 (not what was wanted), 4 (halted), 5 (blocked, degraded).
func (v verbs) ask(ctx context.Context, words ...string) (string, error) {
	out, err := program(ctx, "", []string{"NO_COLOR=1"}, v.syncd, append(words, "--config", v.config)...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains([]int{3, 4, 5}, exit.ExitCode()) {
		return out, nil
	}
	return out, err
}

// status returns one app's; an app that is not known yet has no name.
func (v verbs) status(ctx context.Context, app string) (status, error) {
	out, err := v.ask(ctx, "status", "-o", "json")
	if err != nil {
		return status{}, err
	}
	var answer struct {
		Apps []status `json:"apps"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return status{}, fmt.Errorf("read the answer of syncd status: %w: %.200s", err, out)
	}
	i := slices.IndexFunc(answer.Apps, func(s status) bool { return s.Name == app })
	if i < 0 {
		return status{}, nil
	}
	return answer.Apps[i], nil
}

// synced waits until the app runs commit, and well.
func (v verbs) synced(ctx context.Context, app, commit string) error {
	return v.await(ctx, app, "Synced and Healthy at "+commit[:10], func(s status) bool {
		return s.Status == "Synced" && s.Health == "Healthy" && s.Good.Commit == commit
	})
}

// rolledBack waits until the app runs well at its good commit because what came
// after it failed. Held is what that is called from the next pass on.
func (v verbs) rolledBack(ctx context.Context, app, good string) error {
	return v.await(ctx, app, "rolled back to "+good[:10], func(s status) bool {
		return (s.Status == "RolledBack" || s.Status == "Held") && s.Health == "Healthy" && s.Good.Commit == good
	})
}

func (v verbs) await(ctx context.Context, app, what string, reached func(status) bool) error {
	return await(ctx, app+" to be "+what, func(ctx context.Context) string {
		s, err := v.status(ctx, app)
		switch {
		case err != nil:
			return err.Error()
		case !reached(s):
			return s.String()
		}
		return ""
	})
}
