package apply

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// String prints the plan, one step a line: number, verb, slot, cause, what it
// waits for; then what it needs consent for, what blocks it, and notes. It is
// the plan command's output and the tests' expected value.
func (p Plan) String() string {
	var b strings.Builder
	width := 0
	for _, s := range p.Steps {
		width = max(width, utf8.RuneCountInString(s.Key.String()))
	}
	for _, s := range p.Steps {
		b.WriteString(s.line(len(fmt.Sprint(len(p.Steps))), width))
		b.WriteByte('\n')
	}
	list(&b, "consent", p.Consents)
	list(&b, "blocked", p.Blocked)
	list(&b, "note", p.Notes)
	return b.String()
}

func list(b *strings.Builder, word string, lines []string) {
	for _, l := range lines {
		fmt.Fprintf(b, "%s: %s\n", word, l)
	}
}

// String prints the step as one line without a newline.
func (s Step) String() string { return s.line(1, 1) }

// line prints the step with its number and its slot in columns.
func (s Step) line(number, slot int) string {
	line := fmt.Sprintf("%*d %-6s %-*s", number, s.ID, s.Verb, slot, s.Key)
	if what := s.what(); what != "" {
		line += " " + what
	}
	if waits := s.waits(); waits != "" {
		line += " · " + waits
	}
	return strings.TrimRight(line, " ")
}

func (s Step) what() string {
	switch {
	case s.Verb != Await:
		return s.Cause
	case s.Innocent:
		return string(s.Until) + ", or not as before"
	case s.Cause != "":
		return s.Cause
	case s.For > 0:
		return fmt.Sprintf("%s for %s", s.Until, s.For)
	default:
		return string(s.Until)
	}
}

func (s Step) waits() string {
	var parts []string
	if len(s.After) > 0 {
		parts = append(parts, "after "+numbers(s.After))
	}
	if len(s.Soft) > 0 {
		parts = append(parts, "once ended "+numbers(s.Soft))
	}
	if s.Delay > 0 {
		parts = append(parts, "pause "+s.Delay.String())
	}
	return strings.Join(parts, ", ")
}

// numbers prints sorted step numbers, runs of three and more as FROM-TO.
func numbers(ids []int) string {
	var parts []string
	for i := 0; i < len(ids); {
		end := i
		for end+1 < len(ids) && ids[end+1] == ids[end]+1 {
			end++
		}
		if end-i >= 2 {
			parts = append(parts, fmt.Sprintf("%d-%d", ids[i], ids[end]))
			i = end + 1
			continue
		}
		parts = append(parts, fmt.Sprint(ids[i]))
		i++
	}
	return strings.Join(parts, ",")
}
