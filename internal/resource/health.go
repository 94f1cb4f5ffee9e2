package resource

// State is how an instance feels, as one word.
type State string

// The states. For a job, Well means that it exited 0.
const (
	Absent      State = "absent"
	Progressing State = "progressing"
	Well        State = "healthy"
	Failed      State = "failed"
)

// Health is a verdict from one observation, made without a clock or a client.
type Health struct {
	State  State  `json:"state"`
	Reason string `json:"reason,omitempty"`
	// Restarts counts how often the target restarted the instance: a change
	// while it is watched is a failure, whatever State says.
	Restarts int `json:"restarts,omitempty"`
	// Started is true once it runs or has run.
	Started bool `json:"started,omitempty"`
	// Unseen is true while what carries it out, such as a cluster's controller, has not
	// come to it: what it lacks meanwhile is no fault of its own.
	Unseen bool `json:"unseen,omitempty"`
	// Check is the name of what gave the verdict (healthcheck, exit, restarts).
	Check string `json:"check,omitempty"`
	// ExitCode is that of the last run, or of the last health probe; nil where
	// there was none.
	ExitCode *int `json:"exitCode,omitempty"`
}

// Meets tells whether this health fulfils condition c.
func (h Health) Meets(c Condition) bool {
	switch c {
	case Started:
		return h.Started && h.State != Failed
	default:
		return h.State == Well
	}
}
