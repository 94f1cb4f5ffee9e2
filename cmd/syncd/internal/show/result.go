package show

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// Results are how passes ended: a table, and below it what needs to be read.
func (s Style) Results(results []reconcile.Result) string {
	if len(results) == 0 {
		return "no apps\n"
	}
	var t table
	for _, r := range results {
		t.row(text(word(r.App)), cell{string(r.Outcome), toneOf(r.Outcome)}, text(short(r.Revision)), text(seconds(r.Duration.D())))
	}
	var b strings.Builder
	b.WriteString(t.draw(s))
	for _, r := range results {
		b.WriteString(s.story(r))
	}
	return b.String()
}

// story is what one pass leaves to be read; empty where all went well.
func (s Style) story(r reconcile.Result) string {
	var b strings.Builder
	s.trouble(&b, "  ", r.Reason, r.Hint)
	for _, f := range r.Failures {
		s.failure(&b, r.Reason, f)
	}
	for _, g := range apply.Longest(r.Gaps) {
		b.WriteString("  gap: " + sentence(g.String()) + "\n")
	}
	for _, n := range slices.Concat(r.Notes, r.Plan.Notes) {
		b.WriteString(block("note: "+n, "  ") + "\n")
	}
	consents(&b, s, "  ", r.App, r.Ask, unsaid(r.Plan.Consents, r.Reason))
	if b.Len() == 0 {
		return ""
	}
	return "\n" + s.paint(bold, word(r.App)) + "\n" + b.String()
}

// failure says what the reason of the pass does not say yet.
func (s Style) failure(b *strings.Builder, said string, f apply.Failure) {
	if !strings.Contains(said, f.Reason) {
		b.WriteString(block(f.String(), "  ") + "\n")
	}
	if len(f.Lines) > 0 && !strings.Contains(said, f.Lines[len(f.Lines)-1]) {
		b.WriteString(block("the last lines of "+f.Step.Key.String()+":", "  ") + "\n")
		b.WriteString(block(strings.Join(f.Lines, "\n"), "  | ") + "\n")
	}
}

// ResultLine is how one pass ended, as one line without colours.
func ResultLine(r reconcile.Result) string {
	line := fmt.Sprintf("%s: %s %s in %s", word(r.App), r.Outcome, short(r.Revision), seconds(r.Duration.D()))
	if r.Reason != "" {
		line += ": " + sentence(r.Reason)
	}
	return line
}
