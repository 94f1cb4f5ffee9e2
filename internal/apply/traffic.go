package apply

import (
	"slices"

	"syncd.io/syncd/internal/resource"
)

// Traffic is how a route changes: who gets new connections from now on, and who
// gets no more of them.
type Traffic struct {
	// Of is the live route that the plan goes by; zero where none is good enough. Of
	// several that do not run, it is the one to start.
	Of resource.Ref `json:"of,omitzero"`
	// In are live instances that enter; Made are the puts of this plan whose
	// instance does.
	In   []resource.Ref `json:"in,omitempty"`
	Made []int          `json:"made,omitempty"`
	// Share is the percentage of what is new that each of those who enter gets; 0
	// is an equal part.
	Share int `json:"share,omitempty"`
	// Out are instances that leave: what they have begun may end.
	Out []resource.Ref `json:"out,omitempty"`
	// Only says that nobody serves but those who enter.
	Only bool `json:"only,omitempty"`
	// Hold lets new connections wait while nobody serves. Wait is how long whoever
	// comes next may take from its start until it enters.
	Hold bool              `json:"hold,omitempty"`
	Wait resource.Duration `json:"wait,omitempty"`
}

// lets tells whether the instance that the put made enters, beside those who serve.
func (t *Traffic) lets(put int) bool {
	return t != nil && !t.Only && put != 0 && slices.Contains(t.Made, put)
}

func refsOf(list []resource.Instance) []resource.Ref {
	var out []resource.Ref
	for _, i := range list {
		out = append(out, i.Ref)
	}
	return out
}
