package state

import (
	"maps"
	"slices"
)

// Clone returns a copy that shares nothing with r that its owner changes: sets
// themselves are never changed once they are made.
func (r Record) Clone() Record {
	out := r
	out.Good = copied(r.Good)
	out.Attempt = copied(r.Attempt)
	if out.Attempt != nil {
		out.Attempt.Ran = slices.Clone(r.Attempt.Ran)
	}
	out.Paused, out.Held = copied(r.Paused), copied(r.Held)
	out.Past, out.Quarantine = slices.Clone(r.Past), slices.Clone(r.Quarantine)
	out.Approvals, out.Adopted = slices.Clone(r.Approvals), slices.Clone(r.Adopted)
	out.Images, out.Remains = slices.Clone(r.Images), slices.Clone(r.Remains)
	out.Restarting = slices.Clone(r.Restarting)
	out.Last.Consents = slices.Clone(r.Last.Consents)
	out.Done, out.Restarts = maps.Clone(r.Done), maps.Clone(r.Restarts)
	out.Incident, out.Left, out.Mended = r.Incident.Clone(), slices.Clone(r.Left), slices.Clone(r.Mended)
	return out
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	out := *p
	return &out
}
