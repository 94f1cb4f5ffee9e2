package resource

import (
	"encoding/json"
	"slices"
)

// Ref names one live instance: a container ID, a UID. Generation is what the
// target counted when it accepted the last put; 0 where it counts none.
type Ref struct {
	ID         string `json:"id"`
	Generation int64  `json:"generation,omitempty"`
}

// Instance is one live thing in a slot.
type Instance struct {
	Ref Ref
	// Hash is the spec hash that was written beside the instance when it was
	// put; empty where something else made it.
	Hash string
	// Spec is what runs, in the form of Object.Spec.
	Spec json.RawMessage
	// Health is how it was at the time of the observation.
	Health Health
	// Running is true while it holds its claims (a stopped container holds none).
	Running bool
	// Claims are what it holds, or would hold when started.
	Claims []Claim
	// Refs are the slots that it stands on (networks), where the target can tell;
	// nil where it cannot.
	Refs []Key
	// Foreign is true where neither label nor inventory says that it is ours.
	Foreign bool
	// Maker says in words who made a foreign instance, Holder which other app of this
	// agent has it; empty for all else.
	Maker  string
	Holder string
}

// Pair is one slot: what is wanted there and all that is live there.
type Pair struct {
	Key Key
	// Group is what is rolled out together here, as Want says or, where nothing
	// is wanted, as the live side is labelled; empty for what others stand on.
	Group string
	// Want is nil where nothing is wanted: all live instances are extra.
	Want *Object
	// Stored is Want's spec as the target would store it, with its defaults.
	Stored json.RawMessage
	Live   []Instance
	// Deferred says why the pair could not be looked at yet (an object behind a
	// CRD that does not exist); empty where it was.
	Deferred string
	// By names who has changed fields of ours on the live object; empty where nobody
	// else has, or where that is unknown.
	By string
	// Aside are fields of the live object that others have put beside ours, each with
	// who did: nothing that is wanted differs, and they stay.
	Aside []string
	// InPlace are JSON pointer prefixes of Spec that Put mends on a living
	// instance. Any other difference needs a new instance.
	InPlace []string
	// Kept marks a slot whose removal takes data with it (a volume): it needs
	// consent that names it.
	Kept bool
	// Alone marks a slot that has room for one instance, under one name, which
	// cannot be stopped: the old one is removed before a new one is put. Each such
	// slot is told of, and counted, by itself.
	Alone bool
}

// Sorted returns a copy of objects in key order.
func Sorted(objects []Object) []Object {
	out := slices.Clone(objects)
	slices.SortFunc(out, func(a, b Object) int { return a.Key.Compare(b.Key) })
	return out
}
