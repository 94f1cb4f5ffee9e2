package apply

import (
	"fmt"
	"strconv"
	"strings"
)

// String prints the plan, one step a line: number, verb, slot, cause, what it
// waits for. It is the plan command's output and the tests' expected value.
func (p Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		b.WriteString(s.String())
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
func (s Step) String() string {
	line := fmt.Sprintf("%2d %-6s %-20s %s", s.ID, s.Verb, s.Key, s.what())
	if waits := s.waits(); waits != "" {
		line += " · " + waits
	}
	return strings.TrimRight(line, " ")
}

func (s Step) what() string {
	switch {
	case s.Verb == Await && s.Cause != "":
		return string(s.Until) + ": " + s.Cause
	case s.Verb == Await:
		return string(s.Until)
	default:
		return s.Cause
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

func numbers(ids []int) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = strconv.Itoa(id)
	}
	return strings.Join(text, ",")
}
