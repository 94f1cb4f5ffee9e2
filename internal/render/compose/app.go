package compose

import (
	"fmt"
	"path"

	"github.com/compose-spec/compose-go/v2/types"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// app is one rendering: what was asked, what was read, and what came of it.
type app struct {
	req       render.Request
	repo      *repo.Repo
	index     *index
	variables *variables
	project   *types.Project
	// env is what ${…} sees: the host's values, then the .env file.
	env    map[string]string
	notes  map[string]bool
	mounts map[string]render.Mount
	once   map[string]bool
	names  map[string]string // of containers, with their services
	jobs   jobTable
	// absolute are the paths of the host that the files say, clean.
	absolute map[string]bool
}

// pair is a field and what it says; a list of them has an order, and so the
// first mistake is always the same.
type pair struct{ field, value string }

func newApp(req render.Request, r *repo.Repo) *app {
	return &app{
		req: req, repo: r, variables: newVariables(req.Values),
		notes: map[string]bool{}, mounts: map[string]render.Mount{}, once: map[string]bool{}, names: map[string]string{},
		absolute: map[string]bool{},
	}
}

// path puts a path of .syncd.yaml or of Compose's defaults on the app's
// directory.
func (a *app) path(name string) string { return path.Join(a.req.App.Dir, name) }

// note records a field that was understood and ignored.
func (a *app) note(format string, args ...any) { a.notes[fmt.Sprintf(format, args...)] = true }

// noteField is note for a field of a service.
func (a *app) noteField(service, field, format string, args ...any) {
	a.note("%s: service %s: %s: %s", a.index.at("services", service, field), service, field, fmt.Sprintf(format, args...))
}

// reject is a Rejected error about a field of a service.
func (a *app) reject(service, field, hint, format string, args ...any) error {
	return a.fault(fault.Rejected, "service", service, field, hint, format, args...)
}

// block is a Blocked error about a field of a service.
func (a *app) block(service, field, hint, format string, args ...any) error {
	return a.fault(fault.Blocked, "service", service, field, hint, format, args...)
}

// rejectIn is a Rejected error about a network, volume, config or secret.
func (a *app) rejectIn(kind, name, field, hint, format string, args ...any) error {
	return a.fault(fault.Rejected, kind, name, field, hint, format, args...)
}

func (a *app) fault(class fault.Class, kind, name, field, hint, format string, args ...any) error {
	where := a.index.at(kind+"s", name, field)
	cause := fmt.Errorf(format, args...)
	return mistake.Classified(class, hint, fmt.Errorf("%s: %s %s: %s: %w", where, kind, name, field, cause))
}

// secrets are the values that come from the host's files, longest first.
func (a *app) secrets() []string { return mistake.Secrets(a.req.Values, a.req.Secret) }

// text is what a library said, fit to be shown.
func (a *app) text(err error) string { return mistake.Message(err, a.repo.Base(), a.secrets()) }

// mask takes secret values out of a text of our own.
func (a *app) mask(text string) string { return a.text(plainText(text)) }

type plainText string

// Error is the text itself: what masks errors masks it too.
func (t plainText) Error() string { return string(t) }
