package apply

import "syncd.io/syncd/internal/resource"

// Phase is where a step is.
type Phase string

// The phases of a step, in the order in which they come.
const (
	Begun     Phase = "begun"
	Waiting   Phase = "waiting"
	Done      Phase = "done"
	Tolerated Phase = "tolerated"
	FailedNow Phase = "failed"
	Skipped   Phase = "skipped"
)

// Event is what a watcher of a rollout hears.
type Event struct {
	Step  Step  `json:"step"`
	Phase Phase `json:"phase"`
	// Detail is the health's reason or the failure's text.
	Detail string `json:"detail,omitempty"`
	// Elapsed is the time since the step began, Limit what it may take (awaits).
	Elapsed resource.Duration `json:"elapsed,omitempty"`
	Limit   resource.Duration `json:"limit,omitempty"`
}
