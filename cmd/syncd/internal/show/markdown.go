package show

import (
	"fmt"
	"slices"
	"strings"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// maxRows bounds each list of a comment: forges cut long ones off, or refuse them.
const maxRows = 100

// Markdown is a plan as the comment of a merge request. All that comes from
// outside stands in code spans or fences, where it can neither format, link,
// nor notify anybody.
func Markdown(previews []reconcile.Preview) string {
	var b strings.Builder
	different := 0
	for _, p := range previews {
		if p.Differs() {
			different++
		}
	}
	fmt.Fprintf(&b, "### syncd plan: %d of %s would change\n", different, count(len(previews), "app"))
	for _, p := range previews {
		b.WriteString("\n" + comment(p))
	}
	return b.String()
}

func comment(p reconcile.Preview) string {
	head := fmt.Sprintf("#### %s %s\n\n", span(p.App), span(about(p.Revision)))
	switch {
	case p.Error != "":
		text := fmt.Sprintf("**%s**\n\n%s", orDefault(string(p.Outcome), "error"), fence(block(p.Error, "")))
		if p.Hint != "" {
			text += "\nHint: " + span(p.Hint) + "\n"
		}
		return head + text
	case !p.Differs():
		return head + "In sync: nothing to do.\n" + noteList(slices.Concat(p.Notes, p.Plan.Notes))
	}
	return head + serviceTable(p) + fieldList(p) + facts(p) + noteList(slices.Concat(p.Notes, p.Plan.Notes)) + steps(p)
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func serviceTable(p reconcile.Preview) string {
	rows := ""
	for i, svc := range p.Services {
		if svc.How == apply.Unchanged && len(svc.Gates) == 0 || i >= maxRows {
			continue
		}
		rows += fmt.Sprintf("| %s | %s | %d of %d | %s | %s |\n", inTable(svc.Group), svc.How, svc.Slots, svc.Of, inTable(svc.Why), inTable(strings.Join(price(svc), "; ")))
	}
	if rows == "" {
		return ""
	}
	return "| service | how | instances | why | meanwhile |\n|---|---|---|---|---|\n" + rows
}

// fieldList shows the changed fields as a diff.
func fieldList(p reconcile.Preview) string {
	var lines []string
	for _, svc := range p.Services {
		for _, c := range svc.Changes {
			lines = append(lines, "  "+word(svc.Group)+" "+sentence(c.Path))
			if c.Live != "" {
				lines = append(lines, "- "+sentence(c.Live))
			}
			if c.Want != "" {
				lines = append(lines, "+ "+sentence(c.Want))
			}
		}
	}
	for _, f := range loose(p) {
		lines = append(lines, strings.Split(block(f.String(), "  "), "\n")...)
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n" + fenced("diff", strings.Join(bounded(lines), "\n"))
}

func bounded(lines []string) []string {
	if len(lines) <= maxRows {
		return lines
	}
	return append(lines[:maxRows:maxRows], fmt.Sprintf("  and %d more lines: see syncd plan", len(lines)-maxRows))
}

func facts(p reconcile.Preview) string {
	var b strings.Builder
	b.WriteByte('\n')
	if len(p.Jobs) > 0 {
		fmt.Fprintf(&b, "- One-shots that run: %s\n", spans(p.Jobs))
	}
	if len(p.Missing) > 0 {
		fmt.Fprintf(&b, "- Images to pull: %s\n", spans(p.Missing))
	}
	fmt.Fprintf(&b, "- Way back: %s\n", span(Style{}.wayBack(p.WayBack)))
	for _, reason := range p.Plan.Blocked {
		fmt.Fprintf(&b, "- **Blocked**: %s\n", span(reason))
	}
	for _, c := range p.Plan.Consents {
		fmt.Fprintf(&b, "- **Needs consent**: %s\n", span(c))
	}
	if len(p.Plan.Consents) > 0 {
		fmt.Fprintf(&b, "- To consent, type %s on the host\n", span("syncd approve "+p.App+" --plan "+p.Digest))
	}
	return b.String()
}

func noteList(notes []string) string {
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&b, "- Note: %s\n", span(n))
	}
	return b.String()
}

func steps(p reconcile.Preview) string {
	if len(p.Plan.Steps) == 0 {
		return ""
	}
	lines := strings.Split(block(stepsOf(p.Plan), ""), "\n")
	return fmt.Sprintf("\n<details><summary>%s, plan %s</summary>\n\n%s\n</details>\n", count(len(p.Plan.Steps), "step"), hexOnly(p.Digest), fence(strings.Join(bounded(lines), "\n")))
}

// hexOnly keeps what a digest is made of: it stands where HTML is read.
func hexOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, s)
}

// span is a code span: the fence is longer than any run of backticks in it.
func span(s string) string {
	s = sentence(s)
	ticks := strings.Repeat("`", longestRun(s)+1)
	if s == "" || strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

func spans(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = span(s)
	}
	return strings.Join(out, ", ")
}

// inTable is a code span in a table's cell, where | divides even inside code.
func inTable(s string) string {
	if s == "" {
		return ""
	}
	return strings.ReplaceAll(span(s), "|", `\|`)
}

func fence(s string) string { return fenced("text", s) }

func fenced(language, s string) string {
	ticks := strings.Repeat("`", max(3, longestRun(s)+1))
	return ticks + language + "\n" + s + "\n" + ticks + "\n"
}

func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
