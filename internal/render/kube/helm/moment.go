package helm

import (
	"fmt"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// moment is what is changed in a template before it is rendered; its lines stay where
// they are.
type moment func(text string, c call) string

// present puts keys in order: a Go map gives them in any.
func present(text string, c call) string {
	if c.function != "keys" || !c.first {
		return text
	}
	end := commandEnd(text, c.offset)
	return text[:end] + " | sortAlpha" + text[end:]
}

// another is at another time, and has values in the other order: two renderings at
// the same day, hour or second would not tell.
func another(text string, c call) string {
	end := c.offset + len(c.function)
	switch {
	case c.function == "now":
		return text[:c.offset] + fmt.Sprintf("(toDate %q %q)", "2006-01-02 15:04:05", "2001-02-03 04:05:06") + text[end:]
	case c.function == "ago" && c.first:
		return text[:c.offset] + "print" + text[end:]
	case c.function == "values" && c.first:
		end := commandEnd(text, c.offset)
		return text[:end] + " | reverse" + text[end:]
	}
	return present(text, c)
}

// set changes all templates of a chart and its dependencies.
func (m moment) set(c *chart.Chart) {
	eachTemplate(c, func(name string, file *chart.File) {
		text := string(file.Data)
		places := calls(name, text)
		slices.Reverse(places) // what comes before stays where it is
		for _, place := range places {
			text = m(text, place)
		}
		file.Data = []byte(text)
	})
}

// commandEnd is where the command that begins at an offset ends: before the next one
// of its pipeline, the parenthesis around it, or the end of its action.
func commandEnd(text string, begin int) int {
	end, depth := begin, 0
	for i := begin; i < len(text); i++ {
		switch text[i] {
		case '"', '`', '\'':
			i += literalEnd(text[i:])
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return end
			}
		case '|':
			if depth == 0 {
				return end
			}
		case '}', ' ', '\t', '\r', '\n':
			if text[i] == '}' || strings.HasPrefix(text[i+1:], "-}}") {
				return end
			}
			continue
		}
		end = i + 1
	}
	return end
}

// literalEnd is where the text, or the character, that begins here ends: at its closing
// quote.
func literalEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == text[0]:
			return i
		case text[i] == '\\' && text[0] != '`':
			i++
		}
	}
	return len(text) - 1
}
