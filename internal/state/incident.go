package state

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source"
)

// Incident is drift that lasts: from the look that found it to the one that finds
// it gone.
type Incident struct {
	// Number counts the app's incidents from 1.
	Number int `json:"number"`
	// Opened is when it was first seen, Seen when it was last: that is no news, and
	// goes along with the next write.
	Opened time.Time `json:"opened"`
	Seen   time.Time `json:"seen"`
	// Revision is what it is a difference from.
	Revision source.Revision `json:"revision"`
	// Findings are the objects that differ, the first ones of them; More is how many
	// others there are.
	Findings []Finding `json:"findings,omitempty"`
	More     int       `json:"more,omitempty"`
	// Classes is how many objects differ, by how.
	Classes map[string]int `json:"classes,omitempty"`
	// Told is how many lines of history there are of it, ToldAt when the last was made.
	Told   int       `json:"told,omitempty"`
	ToldAt time.Time `json:"toldAt,omitzero"`
	// Traces are what is kept of each object that differs, or did.
	Traces Traces `json:"traces,omitempty"`
	// Repairing tells that a repair was begun of which nobody has seen what came of it,
	// Failed that one did not go through since the last that did.
	Repairing bool `json:"repairing,omitempty"`
	Failed    bool `json:"failed,omitempty"`
}

// Finding is one object that differs. Values are masked.
type Finding struct {
	Key resource.Key `json:"key"`
	// Class is missing, extra, modified or foreign.
	Class  string `json:"class"`
	Reason string `json:"reason,omitempty"`
	// By names who changed it, where the target knows.
	By string `json:"by,omitempty"`
	// Fields are those that differ, the first ones of them; More is how many others
	// there are.
	Fields []Field `json:"fields,omitempty"`
	More   int     `json:"more,omitempty"`
	// First and Last are when it was seen.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Fought is when it was found that something changes the object back as often as
	// it is repaired; zero where nothing does.
	Fought time.Time `json:"fought,omitzero"`
}

// Field is one field that differs: what is wanted, and what is live.
type Field struct {
	Path string `json:"path"`
	Want string `json:"want"`
	Live string `json:"live"`
	// First is when it was first seen to differ.
	First time.Time `json:"first"`
}

// IncidentID names an incident over all apps: shop#3.
func IncidentID(app string, number int) string { return fmt.Sprintf("%s#%d", app, number) }

// Objects is how many objects differ.
func (i *Incident) Objects() int { return len(i.Findings) + i.More }

// Clone returns a copy that shares nothing with i; nil of nil.
func (i *Incident) Clone() *Incident {
	out := copied(i)
	if out == nil {
		return nil
	}
	out.Findings, out.Classes, out.Traces = slices.Clone(i.Findings), maps.Clone(i.Classes), maps.Clone(i.Traces)
	for n := range out.Findings {
		out.Findings[n].Fields = slices.Clone(out.Findings[n].Fields)
	}
	return out
}

// Unseen returns a copy of i without the times that every look moves.
func (i *Incident) Unseen() *Incident {
	out := i.Clone()
	if out == nil {
		return nil
	}
	out.Seen = time.Time{}
	for n := range out.Findings {
		out.Findings[n].Last = time.Time{}
	}
	return out
}
