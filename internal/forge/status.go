package forge

import (
	"strings"
	"unicode/utf8"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/resource"
)

// State is what a status says, in one word.
type State string

// The states. Superseded is for a commit that was never judged, for a newer one came.
const (
	Pending    State = "pending"
	Success    State = "success"
	Failure    State = "failure"
	Superseded State = "superseded"
)

// Status is what a forge is told of a commit.
type Status struct {
	Commit string `json:"commit"`
	// Context tells it from others' statuses of the same commit: a forge keeps the
	// newest of each.
	Context     string `json:"context"`
	State       State  `json:"state"`
	Description string `json:"description"`
	// URL is where a click leads; empty is nowhere in particular.
	URL string `json:"url,omitempty"`
}

// descriptionBound is what is kept of a description; each forge cuts it further.
const descriptionBound = 1000

// contextOf is the name of the status of the host, or of one app.
func contextOf(f config.Feedback, host, app string) string {
	template := f.Context
	if template == "" {
		template = "syncd/{host}"
	}
	if app != "" && !strings.Contains(template, "{app}") {
		template += "/{app}"
	}
	if f.Environment != "" && !strings.Contains(template, "{environment}") {
		template += " ({environment})"
	}
	return strings.TrimSuffix(fill(template, f, host, app, ""), "/")
}

// fill puts values in place of their names.
func fill(template string, f config.Feedback, host, app, commit string) string {
	return strings.NewReplacer("{host}", host, "{environment}", f.Environment, "{app}", app, "{commit}", commit).Replace(template)
}

// cut shortens text to so many characters, the last of them an ellipsis where it was
// longer, in one line that is harmless wherever it is shown.
func cut(text string, characters int) string {
	text = resource.Harmless(text, descriptionBound)
	if utf8.RuneCountInString(text) <= characters {
		return text
	}
	runes := []rune(text)
	return strings.TrimSpace(string(runes[:characters-1])) + "…"
}
