package reconcile

import (
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// Result is how one pass of one app ended.
type Result struct {
	App      string          `json:"app"`
	Outcome  Outcome         `json:"outcome"`
	Revision source.Revision `json:"revision"`
	// Reason says why in one line; empty where there is nothing to explain.
	Reason string `json:"reason,omitempty"`
	// Hint is what a person can do about it.
	Hint string `json:"hint,omitempty"`
	// Cause is CauseWindow where only the time stands in the way; Opens is when what
	// waits for a window, or for drift.grace, may go on, zero where nothing does or nobody knows.
	Cause string    `json:"cause,omitempty"`
	Opens time.Time `json:"opens,omitzero"`
	// Report is the difference that the pass found, Plan what it did about it.
	Report drift.Report `json:"report,omitzero"`
	Plan   apply.Plan   `json:"plan,omitzero"`
	// Ask is the digest that `approve --plan` wants; empty where nothing waits for
	// consent.
	Ask string `json:"ask,omitempty"`
	// Failures are what went wrong.
	Failures []apply.Failure `json:"failures,omitempty"`
	// Gaps are how long somebody was missed who was stopped, measured.
	Gaps []apply.Gap `json:"gaps,omitempty"`
	// Notes are what a reader should know besides.
	Notes    []string          `json:"notes,omitempty"`
	Started  time.Time         `json:"started"`
	Duration resource.Duration `json:"duration"`
	Phases   Phases            `json:"phases"`
	// Stretches are the times that Phases adds up, in the order of their ends; for those
	// in this process alone.
	Stretches []Stretch `json:"-"`
}

// Phases are the durations of a pass by phase.
type Phases struct {
	Render  resource.Duration `json:"render,omitempty"`
	Prepare resource.Duration `json:"prepare,omitempty"` // pin, pull, validate
	Observe resource.Duration `json:"observe,omitempty"`
	Rollout resource.Duration `json:"rollout,omitempty"`
	Soak    resource.Duration `json:"soak,omitempty"`
}

// Event is what a watcher of the agent hears: a step of an app's rollout, a
// phase, or a pass's end.
type Event struct {
	App  string    `json:"app"`
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
	// Step is set while a rollout runs, Result at a pass's end.
	Step   *apply.Event `json:"step,omitempty"`
	Result *Result      `json:"result,omitempty"`
}
