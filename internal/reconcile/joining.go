package reconcile

import (
	"slices"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// merge puts what was found now in place of what an incident was before, and returns
// a line for each object and field that it never had, and how many such objects have none.
// What is known keeps its place, and since when it is known.
func merge(into *state.Incident, found []drift.Finding, now time.Time) (lines []line, more int) {
	j := joining{into: into, now: now, present: make(map[uint64]bool, len(found))}
	j.begin()
	byKey := make(map[resource.Key]drift.Finding, len(found))
	for _, f := range found {
		byKey[f.Key] = f
	}
	var out []state.Finding
	for _, old := range into.Findings {
		if f, still := byKey[old.Key]; still {
			delete(byKey, old.Key)
			out = append(out, j.join(old, f, true))
		}
	}
	for _, f := range found {
		if _, fresh := byKey[f.Key]; !fresh {
			continue
		}
		room := len(out) < mostFindings
		if next := j.join(state.Finding{}, f, room); room {
			out = append(out, next)
		}
	}
	j.end()
	into.Findings, into.More, into.Seen = out, len(found)-len(out), now
	into.Classes = map[string]int{}
	for _, f := range found {
		into.Classes[string(f.Class)]++
	}
	return j.lines, j.more
}

// joining is a look that becomes part of an incident.
type joining struct {
	into *state.Incident
	now  time.Time
	// present are the traces of what is there now, lines say what is new; more counts the
	// objects that are new and have no line.
	present map[uint64]bool
	lines   []line
	more    int
}

// begin sees that there is a trace of all that has details.
func (j *joining) begin() {
	if j.into.Traces != nil {
		return
	}
	j.into.Traces = state.Traces{}
	for _, f := range j.into.Findings {
		j.into.Traces[state.TraceOf(f.Key, "")] = state.Trace{First: f.First, Listed: true, Fought: !f.Fought.IsZero()}
		for _, what := range factsOf(f) {
			j.into.Traces[state.TraceOf(f.Key, what.name)] = state.Trace{First: f.First}
		}
	}
}

// join is a finding as it is now, with what is known of it from before. What half a
// repair has made of what it touched, and of what the incident had, is no news.
func (j *joining) join(old state.Finding, f drift.Finding, listed bool) state.Finding {
	of := state.TraceOf(f.Key, "")
	trace, known := j.into.Traces[of]
	quiet := known && (j.into.Repairing || !trace.Listed)
	if trace.First.IsZero() || trace.Gone {
		trace.First, trace.Gone = j.now, false
	}
	next := follow(old, f, j.now)
	if next.First = old.First; old.First.IsZero() {
		next.First = trace.First
	}
	if trace.Fought && next.Fought.IsZero() {
		next.Fought = j.now
	}
	if listed || !known {
		j.tell(next, quiet, listed)
	}
	trace.Listed, trace.Untold = trace.Listed || listed, trace.Untold || !known
	j.into.Traces[of], j.present[of] = trace, true
	return next
}

// tell adds a line for each thing that is new of an object, and keeps a trace of it where
// there are details of the object.
func (j *joining) tell(f state.Finding, quiet, listed bool) {
	for i, what := range factsOf(f) {
		of := state.TraceOf(f.Key, what.name)
		trace, known := j.into.Traces[of]
		switch {
		case known || quiet:
		case len(j.lines) < mostFindings*mostFields:
			j.lines = append(j.lines, line{f.Key, what.line()})
		case i == 0:
			j.more++
		}
		if !known || trace.Gone {
			trace = state.Trace{First: j.now}
		}
		if listed {
			j.into.Traces[of], j.present[of] = trace, true
		}
	}
}

// end notes what is gone, and forgets what was so long ago.
func (j *joining) end() {
	for of, trace := range j.into.Traces {
		if !j.present[of] && !trace.Gone {
			trace.Gone = true
			j.into.Traces[of] = trace
		}
	}
	j.into.Traces.Forget(mostGone)
}

// fact is one thing that differs of an object, and the line that tells it: of a hundred
// thousand objects few are told by one.
type fact struct {
	name string
	line func() string
}

// factsOf are the fields of a finding, or the object where it differs as a whole.
func factsOf(f state.Finding) []fact {
	if len(f.Fields) == 0 {
		return []fact{{"is " + f.Class, func() string { return wholeLine(f) }}}
	}
	var out []fact
	for _, field := range f.Fields {
		out = append(out, fact{"has " + field.Path, func() string { return fieldLine(f, field) }})
	}
	return out
}

// follow is a finding as it is now, with what is known of its details from before.
func follow(old state.Finding, f drift.Finding, now time.Time) state.Finding {
	next := state.Finding{Key: f.Key, Class: string(f.Class), Reason: f.Reason, By: f.By, First: now, Last: now, Fought: old.Fought}
	if f.By != "" {
		next.Reason = ""
	}
	for _, c := range f.Changes[:min(len(f.Changes), mostFields)] {
		field := state.Field{Path: c.Path, Want: c.Want, Live: c.Live, First: now}
		if i := slices.IndexFunc(old.Fields, func(o state.Field) bool { return o.Path == c.Path }); i >= 0 {
			field.First = old.Fields[i].First
		}
		next.Fields = append(next.Fields, field)
	}
	next.More = len(f.Changes) - len(next.Fields)
	return next
}
