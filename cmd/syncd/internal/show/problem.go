package show

import (
	"strings"

	"syncd.io/syncd/internal/fault"
)

// Problem is an error for people: what was being done and went wrong, and a line
// that says what to do about it.
func (s Style) Problem(err error) string {
	var b strings.Builder
	b.WriteString(s.paint(red, "error:") + " " + strings.TrimLeft(block(err.Error(), ""), " ") + "\n")
	if hint := fault.Advice(err); hint != "" {
		b.WriteString("hint: " + sentence(hint) + "\n")
	}
	return b.String()
}
