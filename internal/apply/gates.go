package apply

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/resource"
)

// Gate is a gate of an app: what it is, and what it says of itself.
type Gate struct {
	Ref resource.Ref `json:"ref"`
	// Route is the slot that it serves: route/SERVICE/[ADDRESS:]PORT.
	Route resource.Key `json:"route"`
	// Name is that of its container.
	Name string `json:"name"`
	// Published is the host's side of its port, [ADDRESS:]PORT.
	Published string `json:"published"`
	Mode      string `json:"mode"`
	// Drain is how long what is in flight may go on at who leaves.
	Drain resource.Duration `json:"drain"`
	// Program is what it runs, Newest what one that is made now would; that is
	// empty where it is unknown.
	Program GateProgram `json:"program"`
	Newest  GateProgram `json:"newest,omitzero"`
	Running bool        `json:"running"`
	// Foreign tells of one that another agent made, and that is not ours to touch.
	Foreign bool `json:"foreign,omitempty"`
	// Answers tells whether it answered; Trouble is why it did not, or what it says
	// is wrong. Without an answer, nothing that follows is known but who serves and
	// who leaves.
	Answers bool   `json:"answers"`
	Trouble string `json:"trouble,omitempty"`
	// Listening tells whether its port is open, Address where, on the edge network.
	Listening bool   `json:"listening"`
	Address   string `json:"address,omitempty"`
	// Waiting is how many connections (http: requests) wait for a backend.
	Waiting  int           `json:"waiting"`
	Backends []GateBackend `json:"backends,omitempty"`
	Totals   gate.Totals   `json:"totals"`
}

// GateBackend is a container that a gate sends to.
type GateBackend struct {
	// Slot is SERVICE/NUMBER; empty for a container that is gone.
	Slot string `json:"slot,omitempty"`
	gate.State
}

// GateProgram is what a gate runs: the version that the program says it is, and
// the image that is made of its content.
type GateProgram struct {
	Version string `json:"version,omitempty"`
	Image   string `json:"image,omitempty"`
}

// Title names the gate as a person does: SERVICE:[ADDRESS:]PORT.
func (g Gate) Title() string { return g.Route.Namespace + ":" + g.Route.Name }

// Outdated tells whether one that is made now would run another program.
func (g Gate) Outdated() bool { return g.Newest.Image != "" && g.Newest.Image != g.Program.Image }

// InFlight is how much the gate carries now.
func (g Gate) InFlight() int {
	n := 0
	for _, b := range g.Backends {
		n += b.InFlight
	}
	return n
}

// Step names two programs so that they can be told apart: "v1 -> v2", or by
// their content where they have one version.
func (p GateProgram) Step(to GateProgram) string {
	if p.Version == to.Version || p.Version == "" || to.Version == "" {
		return p.exactly() + " -> " + to.exactly()
	}
	return p.Version + " -> " + to.Version
}

func (p GateProgram) exactly() string {
	if p.Version == "" {
		return p.Image
	}
	return fmt.Sprintf("%s (%s)", p.Version, p.Image)
}

// Renewal is what came of putting a gate in the place of another one.
type Renewal struct {
	// From and To are what ran before, and what runs now.
	From GateProgram `json:"from"`
	To   GateProgram `json:"to"`
	// Gap is how long the port was closed: from the begin of the stop until the new
	// one said that it listens.
	Gap resource.Duration `json:"gap"`
	// Cut is how much was still in flight at the old one when it was told to stop,
	// after all the time that it had.
	Cut int `json:"cut,omitempty"`
}

// RenewGap is how long an engine needs to stop a gate and to start the next one,
// measured.
const RenewGap = 1200 * time.Millisecond
