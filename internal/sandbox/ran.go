package sandbox

import (
	"errors"
	"os/exec"
	"time"
)

// Run is one call of the child that ended.
type Run struct {
	// Operation is the child's, such as render or fetch.
	Operation string
	// Outcome is how it ended.
	Outcome Ending
	Took    time.Duration
}

// Ending is how the child's process ended, whatever its answers said.
type Ending string

// The endings of a child.
const (
	// Answered: by itself, with an answer.
	Answered Ending = "answered"
	// Refused: by itself, with a Failure.
	Refused Ending = "refused"
	// Killed: it used more time or output than it may.
	Killed Ending = "killed"
	// Canceled: nobody waits for its answer any more.
	Canceled Ending = "canceled"
	// Crashed: it never started, ran out of memory, or something else ended it.
	Crashed Ending = "crashed"
)

// Endings are all endings.
func Endings() []Ending { return []Ending{Answered, Refused, Killed, Canceled, Crashed} }

// tell tells who counts how a call ended that was cut off for cause; nil is for none.
func (c Child) tell(op string, cmd *exec.Cmd, cause error, took time.Duration) {
	if c.Ran != nil {
		c.Ran(Run{Operation: op, Outcome: endingOf(cmd, cause), Took: took})
	}
}

func endingOf(cmd *exec.Cmd, cause error) Ending {
	switch {
	case cmd.ProcessState != nil && cmd.ProcessState.Success():
		return Answered
	case errors.Is(cause, errDeadline) || errors.Is(cause, errOutput):
		return Killed
	case cause != nil:
		return Canceled
	case cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitFailure:
		return Refused
	}
	return Crashed
}
