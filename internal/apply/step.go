package apply

import (
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
)

// Verb is what a step does.
type Verb string

// The verbs of a plan.
const (
	Put    Verb = "put"
	Await  Verb = "await"
	Stop   Verb = "stop"
	Remove Verb = "remove"
)

// Step is one action of a plan, with its cause and what it waits for.
type Step struct {
	// ID is the step's place in the plan, from 1.
	ID   int          `json:"id"`
	Verb Verb         `json:"verb"`
	Key  resource.Key `json:"key"`
	// Ref is the instance that is stopped, removed, or awaited where no put of
	// this plan makes it.
	Ref resource.Ref `json:"ref,omitzero"`
	// Object is what is put or awaited.
	Object *resource.Object `json:"-"`
	// Policy is how the object's group changes in this plan: its rollback policy
	// in a rollback.
	Policy resource.Policy `json:"-"`
	// After are the steps that must have succeeded, Soft those that must have
	// ended, however.
	After []int `json:"after,omitempty"`
	Soft  []int `json:"soft,omitempty"`
	// Made is the put whose instance this await looks at; 0 where Ref says it.
	Made int `json:"made,omitempty"`
	// Until is what an await waits for, For how long it then has to stay so.
	Until resource.Condition `json:"until,omitempty"`
	For   resource.Duration  `json:"for,omitempty"`
	// Delay is the pause between the end of what it waits for and its begin.
	Delay resource.Duration `json:"delay,omitempty"`
	// Batch counts the batches of a group from 1.
	Batch int `json:"batch,omitempty"`
	// Cause says why, in one line.
	Cause string `json:"cause"`
	// Traffic is what a put of a route changes; nil for all else.
	Traffic *Traffic `json:"traffic,omitempty"`
	// Changes are the fields that differ, for a put that mends or replaces.
	Changes []drift.Change `json:"changes,omitempty"`
	// Innocent marks an await of something that was failing before and that this
	// plan does not touch: it cannot fail the rollout.
	Innocent bool `json:"innocent,omitempty"`
	// Tidy marks the removal of what is no longer wanted: it cannot fail the
	// rollout either.
	Tidy bool `json:"tidy,omitempty"`
}

// holds tells whether it lets a route's new connections wait.
func (s Step) holds() bool { return s.Traffic != nil && s.Traffic.Hold }

// Group returns the group that the step belongs to; empty for networks,
// volumes and what is no longer wanted.
func (s Step) Group() string {
	if s.Object == nil {
		return ""
	}
	return s.Object.Group
}
