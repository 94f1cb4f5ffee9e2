package reconcile

import (
	"fmt"
	"time"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/state"
)

// IncidentStatus is the drift of an app that is open, as it is now.
type IncidentStatus struct {
	// ID is the incident's name in the history; empty where no pass has booked it yet.
	ID string `json:"id,omitempty"`
	state.Incident
}

// IgnoredField is a field that differs, as drift.ignore allows.
type IgnoredField struct {
	Key resource.Key `json:"key"`
	drift.Ignored
}

// tellDrift says what of the drift is known, and what of it is there now: a look that
// did not come says nothing.
func (s *AppStatus) tellDrift(rec state.Record, report drift.Report, now time.Time) {
	for _, f := range report.Findings {
		for _, i := range f.Ignored {
			s.Ignored = append(s.Ignored, IgnoredField{Key: f.Key, Ignored: i})
		}
	}
	if rec.Attempt != nil { // what differs is on its way
		return
	}
	found := driftIn(rec, report)
	if !rec.Looked { // what is too much may be left over
		found = driftIn(state.Record{Left: extrasIn(report)}, report)
	}
	if len(found) == 0 {
		s.Incident = nil
		return
	}
	open := state.Incident{Opened: now, Revision: s.Good}
	if rec.Incident != nil {
		open = *rec.Incident.Clone()
	}
	merge(&open, found, now)
	open.Traces = nil
	s.Incident = &IncidentStatus{ID: idOf(rec.App, open), Incident: open}
}

func idOf(app string, i state.Incident) string {
	if i.Number == 0 {
		return ""
	}
	return state.IncidentID(app, i.Number)
}

// incidentOf is the open incident as it is on record; nil where there is none.
func incidentOf(rec state.Record) *IncidentStatus {
	if rec.Incident == nil {
		return nil
	}
	open := *rec.Incident.Clone()
	open.Traces = nil // they say nothing to a reader
	return &IncidentStatus{ID: idOf(rec.App, open), Incident: open}
}

// driftLinesOf explains the open incident: since when, against what, and what is fought
// over.
func driftLinesOf(s AppStatus) []string {
	i := s.Incident
	if i == nil {
		return nil
	}
	since := i.Opened.Format("2006-01-02 15:04:05")
	lines := []string{fmt.Sprintf("It differs from revision %s since %s: %d object(s), see syncd drift %s.", i.Revision.Short(), since, i.Objects(), s.Name)}
	for _, f := range i.Findings {
		if f.Fought.IsZero() {
			continue
		}
		who := f.By
		if who == "" {
			who = "something"
		}
		lines = append(lines, fmt.Sprintf("Something fights for it: %s changes %s back each time it is repaired; since %s it is left alone, and all else is repaired as ever. To have it repaired again: syncd retry %s.",
			who, f.Key, f.Fought.Format("2006-01-02 15:04:05"), s.Name))
	}
	return lines
}
