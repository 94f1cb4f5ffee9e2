package helm

import (
	"fmt"
	"regexp"
	"strings"

	"syncd.io/syncd/internal/fault"
)

const (
	buildHint  = "run helm dependency build in the chart's directory and commit what it puts into charts/"
	valuesHint = "set it in a file of kubernetes.helm.values, or in kubernetes.helm.set"
)

// rejected makes an error of the class Rejected; an empty hint adds none.
func rejected(hint, format string, args ...any) error {
	err := fault.As(fault.Rejected, fmt.Errorf(format, args...))
	if hint == "" {
		return err
	}
	return fault.Hint(err, hint)
}

// chain is one step of what the template engine says: a template, a line, and what
// it was doing there.
func chain() *regexp.Regexp {
	return regexp.MustCompile(`(?:execution error at|parse error at|template:) \(?([^\s:()]+):(\d+)(?::\d+)?\)?: (?:executing "[^"]*" at <((?:[^>]|>[^:])*)>: )?`)
}

// templateError says where a template failed and why: the innermost place, and the
// one that it was asked from. The engine gives one long line of places.
func templateError(chart string, err error) error {
	text := within(chart, err.Error())
	steps := chain().FindAllStringSubmatchIndex(text, -1)
	if len(steps) == 0 {
		return rejected(adviceFor(text), "%s", text)
	}
	outer, inner := steps[0], steps[len(steps)-1]
	why := strings.TrimSpace(text[inner[1]:])
	if doing := part(text, inner, 3); doing != "" {
		why = "at {{ " + doing + " }}: " + why
	}
	place := inner
	for len(steps) > 1 && (part(text, place, 1) == textOfTpl || part(text, place, 1) == helpersFile) {
		steps = steps[:len(steps)-1]
		place = steps[len(steps)-1]
	}
	from := ""
	if part(text, outer, 1) != part(text, place, 1) {
		from = fmt.Sprintf(" (used by %s:%s)", part(text, outer, 1), part(text, outer, 2))
	}
	return rejected(adviceFor(why), "%s:%s: %s%s", part(text, place, 1), part(text, place, 2), why, from)
}

// textOfTpl is what the engine calls a text that was given to tpl.
const textOfTpl = "gotpl"

// part is what a group of an expression found; empty where it found nothing.
func part(text string, found []int, group int) string {
	if found[2*group] < 0 {
		return ""
	}
	return text[found[2*group]:found[2*group+1]]
}

// adviceFor is what helps against the commonest mistakes.
func adviceFor(why string) string {
	switch {
	case strings.Contains(why, "nil pointer evaluating"), strings.Contains(why, "wrong type for value; expected"):
		return "a value that the template uses is missing or of another kind; " + valuesHint
	case strings.Contains(why, "function \"") && strings.Contains(why, "not defined"):
		return "charts have the functions of helm template, env and expandenv not among them"
	}
	return ""
}

// inside makes an engine's name of a file relative to the chart's directory: the
// engine puts the chart's name before it.
func inside(chart, name string) string { return strings.TrimPrefix(name, chart+"/") }

// within does so for the names in a text.
func within(chart, text string) string {
	named := regexp.MustCompile(`(^|[^\w./-])` + regexp.QuoteMeta(chart) + `/(templates|charts|crds)/`)
	return named.ReplaceAllString(text, "${1}${2}/")
}
