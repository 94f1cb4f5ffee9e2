package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/state"
)

// History is what happened to an app, the newest first; of more than limit entries
// it says how many older ones there are.
func (s Style) History(entries []state.Entry, limit int) string {
	if len(entries) == 0 {
		return "nothing has happened yet\n"
	}
	older := len(entries) - limit
	entries = entries[:min(limit, len(entries))]
	var t table
	head, signed := []string{"WHEN", "WHAT", "OUTCOME", "REVISION", "TOOK", "WHO", "WHY"}, slices.ContainsFunc(entries, isSigned)
	if signed {
		head = slices.Insert(head, signerColumn, "SIGNED BY")
	}
	t.head(head...)
	for _, e := range entries {
		who, why := e.Who, e.Reason
		if e.Incident != "" {
			why = e.Incident + ": " + why
		}
		if who == "" && (e.Kind == "sync" || e.Kind == "repair" || e.Kind == "") { // a pass: the commit says who and why
			who = e.Revision.Author
			why = cmp.Or(why, e.Revision.Subject)
		}
		for _, g := range e.Gaps {
			why += "; gap: " + g
		}
		row := []cell{text(s.moment(e.At)), text(word(e.Kind)), {word(e.Outcome), toneOf(reconcile.Outcome(e.Outcome))},
			text(short(e.Revision)), text(took(e.Duration.D())), text(dash(who)), text(cmp.Or(sentence(why), "-"))}
		if signed {
			row = slices.Insert(row, signerColumn, text(dash(e.Revision.Signer.Name)))
		}
		t.row(row...)
	}
	if older > 0 {
		return t.draw(s) + fmt.Sprintf("… %d older: --limit %d (or -n) shows them too\n", older, len(entries)+older)
	}
	return t.draw(s)
}

// signerColumn is where the signer stands in a history that has one: behind the
// revision.
const signerColumn = 4

func isSigned(e state.Entry) bool { return e.Revision.Signer.Name != "" }

// took is how long a pass took; a person's word takes no time.
func took(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return seconds(d)
}

// toneOf is the colour of an outcome.
func toneOf(o reconcile.Outcome) colour {
	switch o {
	case reconcile.Unchanged, reconcile.Applied, "resolved", "recovered":
		return green
	case reconcile.Halted, reconcile.Rejected, reconcile.Unreachable:
		return red
	case reconcile.RolledBack, reconcile.Held, reconcile.Degraded, reconcile.Blocked, "opened", "changed", "fight":
		return yellow
	default:
		return plain
	}
}

// Explanation is why an app is as it is, who has to act, and what to type.
func (s Style) Explanation(e reconcile.Explanation) string {
	var b strings.Builder
	for _, l := range e.Lines {
		b.WriteString(block(l, "") + "\n")
	}
	fmt.Fprintf(&b, "\nwho has to act: %s\n", sentence(e.Actor))
	for _, t := range e.Type {
		fmt.Fprintf(&b, "type: %s\n", sentence(t))
	}
	return b.String()
}

// Logs is what was kept of failed instances.
func (s Style) Logs(logs []state.FailedLog) string {
	var parts []string
	for _, l := range logs {
		head := fmt.Sprintf("%s %s, %s, at %s", s.paint(bold, word(l.App)), l.Slot, about(l.Revision), s.moment(l.At))
		part := head + "\n" + s.paint(red, block(l.Reason, "")) + "\n"
		if len(l.Lines) > 0 {
			part += block(strings.Join(l.Lines, "\n"), "  ") + "\n"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n")
}
