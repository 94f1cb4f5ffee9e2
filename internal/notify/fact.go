// Package notify is who is told of what happens, and how. What is told is drawn from
// what is on record: facts, read on from where the last ones were. Routes say what is
// told to which channels; once for each incident, with reminders, and collected for a
// moment, so that a thousand facts are one message. Messages wait in an outbox until
// their channel took them, and nothing here is ever in the way of a pass.
package notify

import (
	"time"

	"syncd.io/syncd/internal/resource"
)

// Bounds of what is kept of a fact, in bytes and lines.
const (
	reasonBound   = 1000
	lineBound     = 300
	wordBound     = 200
	findingsBound = 10
)

// Fact is something that is on record. Whoever makes it masked its secrets.
type Fact struct {
	// ID ascends over all facts.
	ID uint64    `json:"id"`
	At time.Time `json:"at"`
	// App is empty for what concerns the agent as a whole.
	App   string `json:"app,omitempty"`
	Owner string `json:"owner,omitempty"`
	// Kind and Outcome are the record's words: sync, repair, drift, source, window, or a
	// person's act, and how it ended.
	Kind    string `json:"kind"`
	Outcome string `json:"outcome,omitempty"`
	// Who acted, of a person's act.
	Who      string   `json:"who,omitempty"`
	Revision Revision `json:"revision,omitzero"`
	Reason   string   `json:"reason,omitempty"`
	// Says is the reason without what moves while it stays as it is. Empty is the reason
	// itself.
	Says string `json:"says,omitempty"`
	// Still tells that the outcome is no news: what was done meanwhile is.
	Still bool `json:"still,omitempty"`
	// Hint is what a person can do.
	Hint string `json:"hint,omitempty"`
	// Incident names the drift, or the remote, that it is about: the same from its
	// begin to its end.
	Incident string `json:"incident,omitempty"`
	// Findings are what differs, a line each; More counts those that are left out.
	Findings []string `json:"findings,omitempty"`
	More     int      `json:"more,omitempty"`
	// Duration is how long it took, or lasted.
	Duration resource.Duration `json:"duration,omitempty"`
}

// Revision is one Git commit.
type Revision struct {
	Commit  string `json:"commit"`
	Author  string `json:"author,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// Short returns the first ten digits of the commit.
func (r Revision) Short() string { return r.Commit[:min(10, len(r.Commit))] }

// clean is the fact in texts that are harmless wherever they are shown, and bounded:
// authors of commits and programs that failed have written them.
func (f Fact) clean() Fact {
	f.App, f.Owner, f.Who = resource.Harmless(f.App, wordBound), resource.Harmless(f.Owner, wordBound), resource.Harmless(f.Who, wordBound)
	f.Reason, f.Hint = resource.Harmless(f.Reason, reasonBound), resource.Harmless(f.Hint, reasonBound)
	f.Says = resource.Harmless(f.Says, reasonBound)
	f.Incident = resource.Harmless(f.Incident, wordBound)
	f.Revision.Commit = resource.Harmless(f.Revision.Commit, wordBound)
	f.Revision.Author, f.Revision.Subject = resource.Harmless(f.Revision.Author, wordBound), resource.Harmless(f.Revision.Subject, wordBound)
	if len(f.Findings) > findingsBound {
		f.More += len(f.Findings) - findingsBound
	}
	var lines []string
	for _, line := range f.Findings[:min(findingsBound, len(f.Findings))] {
		lines = append(lines, resource.Harmless(line, lineBound))
	}
	f.Findings = lines
	return f
}
