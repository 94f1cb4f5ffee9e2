package apply

import (
	"fmt"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// Failure is one thing that went wrong, with all that explains it.
type Failure struct {
	Step   Step            `json:"step"`
	Ref    resource.Ref    `json:"ref,omitzero"`
	Class  fault.Class     `json:"-"`
	Reason string          `json:"reason"`
	Hint   string          `json:"hint,omitempty"`
	Health resource.Health `json:"health,omitzero"`
	// Lines are the last lines of the instance's output.
	Lines []string `json:"lines,omitempty"`
}

// String names slot and reason in one line.
func (f Failure) String() string { return fmt.Sprintf("%s: %s", f.Step.Key, f.Reason) }

// Outcome is what became of a rollout.
type Outcome struct {
	// Failures fail the rollout; Tolerated were within the policy's ratio, or
	// failing before, or only tidying up.
	Failures  []Failure
	Tolerated []Failure
	// Made are the instances that were put or awaited, by slot, Restarts their
	// restart count when they were found healthy.
	Made     map[resource.Key]resource.Ref
	Restarts map[resource.Key]int
	// Completed are the jobs that exited 0.
	Completed []resource.Object
	// Gaps are how long slots and ports were empty that somebody was stopped in.
	Gaps []Gap
	// absent are the services that were still missed at the end.
	absent absences
	// Skipped counts steps that never began.
	Skipped int
	// Err is why the rollout stopped without a verdict: the target stayed
	// unreachable, or the context ended. Nil otherwise.
	Err error
}

// OK tells whether every step succeeded or was tolerated.
func (o Outcome) OK() bool { return o.Err == nil && len(o.Failures) == 0 }

// Degraded tells whether it went through, but something that counts for health
// was tolerated.
func (o Outcome) Degraded() bool {
	if !o.OK() {
		return false
	}
	for _, f := range o.Tolerated {
		if !f.Step.Tidy {
			return true
		}
	}
	return o.Skipped > 0
}

func (o Outcome) tolerated(key resource.Key) bool {
	return slices.ContainsFunc(o.Tolerated, func(f Failure) bool { return f.Step.Key == key && !f.Step.Tidy })
}
