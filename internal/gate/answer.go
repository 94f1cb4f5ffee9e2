package gate

import "fmt"

// Answer is what a gate says of itself.
type Answer struct {
	// Version is the gate's program's.
	Version string `json:"version,omitempty"`
	// Digest is that of the table in force; empty where there is none yet.
	Digest string `json:"digest,omitempty"`
	// Listening says whether the port is open.
	Listening bool `json:"listening"`
	// Address is where it listens, ADDRESS:PORT; empty while it does not.
	Address string `json:"address,omitempty"`
	// Inside is where it listens in the networks of those it serves.
	Inside []string `json:"inside,omitempty"`
	// Trouble is why the port is not open although it should be, or why the table
	// on disk could not be read; empty where all is well.
	Trouble string `json:"trouble,omitempty"`
	// Waiting is how many connections (http: requests) wait for a backend now.
	Waiting int `json:"waiting"`
	// Backends are those of the table, and those that left it with something still
	// in flight.
	Backends []State `json:"backends"`
	// Totals count since the gate's start.
	Totals Totals `json:"totals"`
}

// Unsettled says what the gate is still about: why its port is not as it should be,
// or how much those who leave have in flight. It is empty where there is nothing.
func (a Answer) Unsettled() string {
	leaving := 0
	for _, b := range a.Backends {
		if b.Draining {
			leaving += b.InFlight
		}
	}
	switch {
	case a.Trouble != "":
		return a.Trouble
	case leaving > 0:
		return fmt.Sprintf("%d connections end at those who leave", leaving)
	}
	return ""
}

// State is how one backend is doing. What it counts are connections in tcp mode
// and requests in http mode.
type State struct {
	ID string `json:"id"`
	// Draining: it gets nothing new. A backend that left the table is draining.
	Draining bool `json:"draining,omitempty"`
	// Ejected: it did not let itself be connected to, and is probed.
	Ejected bool `json:"ejected,omitempty"`
	// InFlight is how much it has now, from the moment on that it was chosen.
	InFlight int `json:"inFlight"`
	// Served is how much ended there after the backend had been reached.
	Served uint64 `json:"served"`
	// Failed is how often connecting to it failed, probes left out.
	Failed uint64 `json:"failed"`
}

// Totals are a gate's counters. What they count are connections in tcp mode and
// requests in http mode, where nothing else is said.
type Totals struct {
	// Accepted are the connections of clients, in both modes.
	Accepted uint64 `json:"accepted"`
	// Refused met an empty pool without a hold.
	Refused uint64 `json:"refused"`
	// Held had to wait for a backend.
	Held uint64 `json:"held"`
	// HeldTooLong waited as long as they may, and were turned away.
	HeldTooLong uint64 `json:"heldTooLong"`
	// HeldTooMany were turned away because as many waited as may.
	HeldTooMany uint64 `json:"heldTooMany"`
	// Cut were closed at the end of the drain.
	Cut uint64 `json:"cut"`
	// AcceptErrors is how often accepting failed, such as for want of descriptors.
	AcceptErrors uint64 `json:"acceptErrors"`
	// Panics is how often the gate's own code failed; each cost one connection.
	Panics uint64 `json:"panics"`
}
