package reconcile

import (
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// Word is the status word that users know from other tools.
type Word string

// The status words.
const (
	Synced      Word = "Synced"
	OutOfSync   Word = "OutOfSync"
	Progressing Word = "Progressing"
	WRolledBack Word = "RolledBack"
	WHeld       Word = "Held"
	WHalted     Word = "Halted"
	WBlocked    Word = "Blocked"
	WPaused     Word = "Paused"
	// Health words.
	Healthy   Word = "Healthy"
	Unhealthy Word = "Degraded"
	// Unknown is both a status and a health: the engine does not answer.
	Unknown Word = "Unknown"
)

// Status is what one host runs.
type Status struct {
	Host string `json:"host"`
	// Target is what runs the apps: "cluster", or empty for an engine.
	Target string `json:"target,omitempty"`
	// Agent says whether a running agent answered, or the record alone.
	Agent bool `json:"agent"`
	// ReadOnly tells of an agent that reports and never acts.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Revision is the last one that was seen; SourceError why a newer one cannot
	// be, with its hint.
	Revision    source.Revision `json:"revision"`
	SourceError string          `json:"sourceError,omitempty"`
	// SourceOutcome is Rejected where it is not signed as it has to be; else empty.
	SourceOutcome Outcome `json:"sourceOutcome,omitempty"`
	SourceHint    string  `json:"sourceHint,omitempty"`
	// Remotes are repo.url and its mirrors, in the order in which they are asked.
	Remotes []source.RemoteStatus `json:"remotes,omitempty"`
	// EngineError is why what runs now is unknown, with its hint; EngineSince is
	// when a pass first met it, zero where none has.
	EngineError string    `json:"engineError,omitempty"`
	EngineHint  string    `json:"engineHint,omitempty"`
	EngineSince time.Time `json:"engineSince,omitzero"`
	// Recovered tells of local corruption that was set aside.
	Recovered string      `json:"recovered,omitempty"`
	Apps      []AppStatus `json:"apps"`
}

// AppStatus is what is known of one app.
type AppStatus struct {
	Name   string `json:"name"`
	Dir    string `json:"dir,omitempty"`
	Owner  string `json:"owner,omitempty"`
	Status Word   `json:"status"`
	Health Word   `json:"health"`
	// Good is the revision that runs, or is to be put back; zero before the first.
	Good source.Revision `json:"good,omitzero"`
	// Wanted is the revision that the repository asks for.
	Wanted source.Revision `json:"wanted,omitzero"`
	// Outcome, Reason and Hint are the last pass's.
	Outcome Outcome   `json:"outcome,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Hint    string    `json:"hint,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	// Cause is CauseWindow where only the time stands in the way.
	Cause string `json:"cause,omitempty"`
	// Window is what the app's windows say now; nil is that it has none.
	Window *Window `json:"window,omitempty"`
	// Services are the running images of the good set.
	Services []ServiceStatus `json:"services,omitempty"`
	// Gates are the app's, with what they say of themselves, where status was asked
	// about this app alone.
	Gates []apply.Gate `json:"gates,omitempty"`
	// Drift is what differs, Notes what is there besides and stands in nobody's way.
	Drift []string `json:"drift,omitempty"`
	// Incident is the drift that is open; nil where there is none. Ignored are fields
	// that differ, as drift.ignore allows.
	Incident   *IncidentStatus     `json:"incident,omitempty"`
	Ignored    []IgnoredField      `json:"ignored,omitempty"`
	Notes      []string            `json:"notes,omitempty"`
	Consents   []string            `json:"consents,omitempty"`
	Plan       string              `json:"plan,omitempty"` // the digest that approve wants
	Quarantine []state.Quarantined `json:"quarantine,omitempty"`
	Paused     *state.Pause        `json:"paused,omitempty"`
	Held       *state.Hold         `json:"held,omitempty"`
}

// ServiceStatus is one service of the good set: which image, exactly.
type ServiceStatus struct {
	Service  string `json:"service"`
	Replicas int    `json:"replicas"`
	Image    string `json:"image"`
	Digest   string `json:"digest,omitempty"`
	// Version, Created and Source are the image's own OCI labels.
	Version string `json:"version,omitempty"`
	Created string `json:"created,omitempty"`
	Source  string `json:"source,omitempty"`
}
