// Package syntax is what the renderers know of YAML as text: what is wrong with it,
// and where, and how much of it there may be.
package syntax

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/render/mistake"
)

// Invalid is the error of a file that the YAML parser refuses, with its place as
// every other error has it: FILE:LINE:COLUMN.
func Invalid(file string, err error) error { return InvalidFrom(file, 1, err) }

// InvalidFrom is Invalid for a text that begins in a line of the file.
func InvalidFrom(file string, first int, err error) error {
	text := strings.TrimPrefix(strings.Join(strings.Fields(err.Error()), " "), "yaml: ")
	text, typed := strings.CutPrefix(text, "construct errors: ")
	m := markedForm().FindStringSubmatch(text)
	doing, from, at, what := m[1], m[2], m[3], m[4]
	if at == "" { // it went wrong where it began
		at, from = from, ""
	}
	place := markOf(at, what).from(first)
	if typed { // these name lines only
		place.column = 0
	}
	if from != "" {
		what += fmt.Sprintf(" (%s that begins in line %d)", doing, markOf(from, what).from(first).line)
	}
	return mistake.Rejected(yamlAdvice(what), "%s%s: not valid YAML: %s", file, place, what)
}

// markedForm is how the parser says it: "while parsing a mapping at MARK: MARK:
// what", where the first part or the second mark may be missing.
func markedForm() *regexp.Regexp {
	const mark = `(line \d+(?:, column \d+)?|<unknown position>)`
	return regexp.MustCompile(`^(?:(while [^:]*?) at ` + mark + `: )?(?:` + mark + `: )?(.*)$`)
}

// mark is a place in a file; 0 is unknown.
type mark struct{ line, column int }

// markOf reads "line 3, column 4". The parser counts lines from 0 where the
// grammar is wrong, and from 1 where a token is; it leaves out the first column.
func markOf(text, what string) mark {
	var m mark
	if n, err := fmt.Sscanf(text, "line %d, column %d", &m.line, &m.column); err != nil && n == 1 {
		m.column = 1
	}
	if grammar(what) && text != "" {
		m.line++
	}
	return m
}

// from is the place in a text that begins in a line of its file.
func (m mark) from(first int) mark {
	if m.line > 0 {
		m.line += first - 1
	}
	return m
}

// String is what stands behind a file's name.
func (m mark) String() string {
	switch {
	case m.line == 0:
		return ""
	case m.column == 0:
		return ":" + strconv.Itoa(m.line)
	default:
		return fmt.Sprintf(":%d:%d", m.line, m.column)
	}
}

// grammar tells what the parser's second stage says from what its first says.
func grammar(what string) bool {
	expected, ok := strings.CutPrefix(what, "did not find expected ")
	return ok && regexp.MustCompile(`^(key|node content|<document start>|'-' indicator|',' or)`).MatchString(expected)
}

func yamlAdvice(what string) string {
	switch {
	case strings.Contains(what, "mapping values are not allowed"):
		return `put a value that holds ": " in quotes, and check the indentation`
	case strings.Contains(what, "tab character"), strings.Contains(what, "cannot start any token"):
		return "indent with spaces, not with tabs"
	default:
		return "check the indentation, the brackets and the quotes around this line"
	}
}
