package notify

import "strings"

// Severity is how much it matters.
type Severity string

// The severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// weight orders them.
func (s Severity) weight() int {
	switch s {
	case Error:
		return 2
	case Warning:
		return 1
	default:
		return 0
	}
}

// The events that something is made of here; the others are words of the table below.
const (
	act           = "act"
	driftOpened   = "drift-opened"
	driftResolved = "drift-resolved"
	recovered     = "recovered"
	rolledBack    = "rolled-back"
)

// askRemotes is what to do where a remote is in trouble.
const askRemotes = "syncd status names every remote."

// kind is all that is known of an event.
type kind struct {
	severity Severity
	// says is the headline's end, after the app's name; did what syncd did about it, advice
	// what a person can do where nobody said it.
	says, did, advice string
	// phase is what it does to the incident that it belongs to.
	phase phase
	// nags tells that it is told again while it is so, quiet that only who asks for it
	// by name is told.
	nags, quiet bool
}

// phase is the place of an event in an incident.
type phase uint8

const (
	aside phase = iota // it belongs to none
	trouble
	end
)

// kinds are the events, by the words of routes.
func kinds() map[string]kind {
	return map[string]kind{
		"sync-started":       {severity: Info, says: "is being synced", quiet: true},
		"applied":            {severity: Info, says: "applied and healthy", phase: end},
		"repaired":           {severity: Info, says: "repaired", quiet: true},
		recovered:            {severity: Info, says: "is well again", phase: end},
		"degraded":           {severity: Error, says: "degraded", did: "It goes on running, and is looked at again.", advice: "syncd explain APP", phase: trouble},
		rolledBack:           {severity: Error, says: "rolled back", did: "The last good revision is back.", advice: "Fix it with a new commit; syncd logs APP shows what failed.", phase: trouble},
		"held":               {severity: Warning, says: "held back", did: "The good revision goes on running.", advice: "Fix it with a new commit, or: syncd retry APP", phase: trouble},
		"halted":             {severity: Error, says: "halted", did: "Nothing more is changed until somebody acts.", advice: "syncd explain APP", phase: trouble, nags: true},
		"blocked":            {severity: Warning, says: "blocked", did: "Nothing was changed.", advice: "syncd explain APP", phase: trouble, nags: true},
		"rejected":           {severity: Warning, says: "rejected", did: "Nothing was changed: what runs goes on.", advice: "Fix it with a new commit.", phase: trouble},
		"window-pending":     {severity: Warning, says: "waits for its window", did: "Nothing was changed yet.", advice: "It goes on by itself; at once with: syncd sync APP --force", phase: trouble},
		driftOpened:          {severity: Warning, says: "drifted", advice: "syncd explain APP", phase: trouble, nags: true},
		"drift-changed":      {severity: Warning, says: "drifted further", advice: "syncd explain APP", phase: trouble, nags: true},
		driftResolved:        {severity: Info, says: "drift is gone", phase: end},
		"drift-fight":        {severity: Error, says: "drift comes back again and again", did: "It is not repaired any more: somebody else changes it back.", advice: "Let one of the two stop, then: syncd retry APP", phase: trouble, nags: true},
		"source-stale":       {severity: Warning, says: "is behind", did: "What is newer is taken from another remote.", advice: askRemotes, phase: trouble},
		"source-diverged":    {severity: Error, says: "has another history", did: "What was accepted stays.", advice: "If it is meant: syncd sync --accept-rewrite COMMIT; " + askRemotes, phase: trouble},
		"source-unverified":  {severity: Error, says: "names a revision that is not signed as it has to be", did: "It is not followed.", advice: "Find out who pushed it; " + askRemotes, phase: trouble},
		"source-unreachable": {severity: Warning, says: "does not answer", did: "What runs goes on.", advice: askRemotes, phase: trouble},
		"source-recovered":   {severity: Info, says: "is well again", phase: end},
		act:                  {severity: Info, says: "", quiet: true},
	}
}

// eventOf is the event that a fact is; false for what nobody is told of.
func eventOf(f Fact) (string, bool) {
	word := strings.ReplaceAll(f.Outcome, " ", "-")
	switch f.Kind {
	case "drift":
		word = "drift-" + word
	case "source":
		word = "source-" + word
	case "window":
		word = "window-" + word
	case "sync", "repair":
		switch {
		case word == "started":
			word = "sync-started"
		case f.repairs():
			word = "repaired"
		}
	default:
		return act, true
	}
	_, known := kinds()[word]
	return word, known
}

// thread names what a fact is part of, from its begin to its end: the state of an app,
// one drift of it, or one remote; empty for a person's act.
func thread(f Fact) string {
	switch f.Kind {
	case "drift":
		if f.Incident != "" {
			return "drift/" + f.Incident
		}
		return "drift/" + f.App
	case "source":
		return "source/" + f.Incident
	case "sync", "window":
		return syncOf(f.App)
	default:
		if f.Kind == "repair" && !f.repairs() {
			return syncOf(f.App)
		}
		return ""
	}
}

// repairs tells whether it is about drift that was repaired, and nothing else.
func (f Fact) repairs() bool { return f.Kind == "repair" && (f.Outcome == "applied" || f.Still) }

// syncOf is the thread of an app's own state.
func syncOf(app string) string { return "sync/" + app }
