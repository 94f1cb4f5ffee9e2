package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// text is what is said where a route has no template: what, where, which revision and
// whose, why, what syncd did, what to do. It fits a phone.
func text(m Message) string {
	if m.Count == 1 {
		return strings.Join(details(m.Facts[0], m.At), "\n")
	}
	if m.Count <= fewFacts && m.Count == len(m.Facts) {
		return oneByOne(m)
	}
	var lines []string
	for _, t := range m.Facts[:min(shownFacts, len(m.Facts))] {
		lines = append(lines, "- "+inOneLine(t))
	}
	if more := m.Count - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more: syncd status", more))
	}
	return strings.Join(lines, "\n")
}

// oneByOne is all that there is to say of a few facts.
func oneByOne(m Message) string {
	var parts []string
	for _, t := range m.Facts {
		lines := append([]string{headline(t)}, details(t, m.At)...)
		for i := range lines {
			lines[i] = bound(lines[i], lineBound)
		}
		parts = append(parts, strings.Join(slices.Compact(lines), "\n"))
	}
	return strings.Join(parts, "\n\n")
}

// inOneLine is a fact among others.
func inOneLine(t Told) string {
	line := headline(t)
	if t.Revision.Commit != "" {
		line += " (" + strings.TrimSuffix(t.Revision.Short()+", "+t.Revision.Author, ", ") + ")"
	}
	if why := cmp.Or(t.Reason, strings.Join(t.Findings, "; ")); why != "" {
		line += ": " + why
	}
	return bound(line, 300)
}

// details are the lines about one fact.
func details(t Told, now time.Time) []string {
	known := kinds()[t.Event]
	var lines []string
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, label+value)
		}
	}
	add("Revision: ", revision(t.Revision))
	add("Owner: ", t.Owner)
	if state(t.Event) != driftOpened || len(t.Findings) == 0 { // else they say it
		add("Why: ", t.Reason)
	}
	for _, finding := range t.Findings {
		if finding != t.Reason || state(t.Event) == driftOpened {
			add("- ", finding)
		}
	}
	if t.More > 0 {
		add("", fmt.Sprintf("and %d more", t.More))
	}
	add("Since: ", since(t, now))
	add("Lasted: ", lasted(t))
	add("Took: ", took(t))
	add("syncd: ", known.did)
	add("To do: ", cmp.Or(t.Hint, strings.ReplaceAll(known.advice, "APP", t.App)))
	if len(lines) == 0 {
		lines = append(lines, headline(t))
	}
	return lines
}

func revision(r Revision) string {
	if r.Commit == "" {
		return ""
	}
	line := r.Short()
	if r.Author != "" {
		line += " by " + r.Author
	}
	if r.Subject != "" {
		line += ": " + r.Subject
	}
	return line
}

// since says when what a fact is about began, where that is a while ago.
func since(t Told, now time.Time) string {
	if t.Since.IsZero() || now.Sub(t.Since) < time.Minute || kinds()[t.Event].phase == end {
		return ""
	}
	return fmt.Sprintf("%s (%s)", t.Since.UTC().Format("2006-01-02 15:04 MST"), span(now.Sub(t.Since)))
}

// lasted says for how long it was so what a fact ends, where that is a while.
func lasted(t Told) string {
	if t.Since.IsZero() || t.At.Sub(t.Since) < time.Second || kinds()[t.Event].phase != end {
		return ""
	}
	return span(t.At.Sub(t.Since))
}

// took says how long a pass took.
func took(t Told) string {
	if t.Duration.D() < time.Second || t.Kind == "drift" || kinds()[t.Event].phase == trouble {
		return ""
	}
	return span(t.Duration.D())
}

// span is a duration as people say it: 3m, 2h10m.
func span(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}
