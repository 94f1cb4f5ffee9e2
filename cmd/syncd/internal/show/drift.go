package show

import (
	"cmp"
	"fmt"
	"strings"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// Drift is what differs of each app, and since when.
func (s Style) Drift(st reconcile.Status) string {
	var b strings.Builder
	if st.EngineError != "" {
		s.trouble(&b, "", "the "+cmp.Or(word(st.Target), "engine")+" does not answer"+s.since(st)+": "+st.EngineError, st.EngineHint)
		b.WriteString("what follows is what was seen last\n")
	}
	var none []string
	for _, a := range st.Apps {
		if a.Incident == nil {
			none = append(none, word(a.Name))
		}
		if a.Incident != nil || len(a.Ignored) > 0 {
			b.WriteString(s.drift(a))
		}
	}
	if len(none) > 0 {
		b.WriteString("no drift: " + strings.Join(none, ", ") + "\n")
	}
	return b.String()
}

func (s Style) drift(a reconcile.AppStatus) string {
	var b strings.Builder
	owner := ""
	if a.Owner != "" {
		owner = " (" + word(a.Owner) + ")"
	}
	b.WriteString(s.paint(bold, word(a.Name)) + owner + "\n")
	if i := a.Incident; i != nil {
		fmt.Fprintf(&b, "  %s, open since %s (%s), against %s\n", cmp.Or(word(i.ID), "not booked yet"), s.moment(i.Opened), s.age(i.Opened), about(i.Revision))
		for _, f := range i.Findings {
			b.WriteString(s.finding(f, i.Incident))
		}
		if i.More > 0 {
			fmt.Fprintf(&b, "  and %d more objects\n", i.More)
		}
	}
	for _, i := range a.Ignored {
		b.WriteString("  " + sentence(fmt.Sprintf("ignored: %s %s: %s", i.Key, i.Change, i.Rule)) + "\n")
	}
	if wants(a) && a.Hint != "" && a.Incident != nil {
		s.trouble(&b, "  ", "", a.Hint)
	}
	b.WriteString("\n")
	return b.String()
}

// finding is one object, with its fields.
func (s Style) finding(f state.Finding, of state.Incident) string {
	var b strings.Builder
	head := fmt.Sprintf("%s %s", f.Key, f.Class)
	if f.Reason != "" {
		head += ": " + f.Reason
	}
	if f.By != "" {
		head += ", changed by " + f.By
	}
	if f.First.After(of.Opened) {
		head += ", since " + s.moment(f.First)
	}
	if !f.Fought.IsZero() {
		head += ", changed back each time it was repaired"
	}
	b.WriteString("  " + sentence(head) + "\n")
	for _, field := range f.Fields {
		b.WriteString("    " + sentence(drift.Change{Path: field.Path, Want: field.Want, Live: field.Live}.String()) + "\n")
	}
	if f.More > 0 {
		fmt.Fprintf(&b, "    and %d more fields\n", f.More)
	}
	return b.String()
}
