package kube

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// app is one rendering: what was asked, what was read, and what came of it.
type app struct {
	req       render.Request
	repo      *repo.Repo
	variables *variables
	// dir is the directory that is built, namespace that of what names none.
	dir       string
	namespace string
	notes     map[string]bool
}

func newApp(req render.Request, r *repo.Repo) *app {
	return &app{req: req, repo: r, variables: newVariables(req.Values), notes: map[string]bool{}}
}

// settings is the path of the app's .syncd.yaml.
func (a *app) settings() string { return path.Join(a.req.App.Dir, find.Settings) }

// note records what was understood and left out.
func (a *app) note(format string, args ...any) { a.notes[fmt.Sprintf(format, args...)] = true }

// sortedNotes are the notes in order, without secret values.
func (a *app) sortedNotes() []string {
	var out []string
	for _, note := range slices.Sorted(maps.Keys(a.notes)) {
		out = append(out, mistake.Masked(note, a.secrets()))
	}
	return out
}

// setting is a Rejected error about a key of .syncd.yaml.
func (a *app) setting(key, hint, format string, args ...any) error {
	return mistake.Rejected(hint, "%s: kubernetes.%s: %w", a.settings(), key, fmt.Errorf(format, args...))
}

// secrets are the values that come from the host's files, longest first.
func (a *app) secrets() []string { return mistake.Secrets(a.req.Values, a.req.Secret) }
