package helm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
)

// moment is what is changed in a template before it is rendered; its lines stay where
// they are.
type moment struct {
	change func(text string, c call) string
	// helpers are templates that are added, for what was changed.
	helpers string
}

// present puts keys in order: a Go map gives them in any.
func present() moment { return moment{change: inOrder} }

func inOrder(text string, c call) string {
	if c.function != "keys" || !c.first {
		return text
	}
	return piped(text, c, "sortAlpha")
}

// another is at another time, the nth of several, and has values in the other order:
// two renderings at the same day, hour or second would not tell.
func another(n int) moment {
	when := fmt.Sprintf("(toDate %q %q)", time.DateTime, time.Date(2001+3*n, time.Month(2+n), 3+4*n, 4+5*n, 5+6*n, 6+7*n, 0, time.UTC).Format(time.DateTime))
	change := func(text string, c call) string {
		end := c.offset + len(c.function)
		switch {
		case c.function == "now":
			return text[:c.offset] + when + text[end:]
		case !c.first:
			return text
		case c.function == "ago":
			return text[:c.offset] + "print" + text[end:]
		case c.function == "values":
			return piped(text, c, "reverse")
		case c.function == "tpl" || slices.Contains(fallingBack(), c.function):
			text = piped(text, c, fmt.Sprintf("include %q", helper(c.function)))
			return text[:c.offset] + "list" + text[end:]
		}
		return inOrder(text, c)
	}
	return moment{change: change, helpers: helpers(when)}
}

// piped puts one more command behind that of a call.
func piped(text string, c call, command string) string {
	end := commandEnd(text, c.offset)
	return text[:end] + " | " + command + text[end:]
}

// set changes all templates of a chart and its dependencies.
func (m moment) set(c *chart.Chart) {
	eachTemplate(c, func(name string, file *chart.File) {
		text := string(file.Data)
		places := calls(name, text)
		slices.Reverse(places) // what comes before stays where it is
		for _, place := range places {
			text = m.change(text, place)
		}
		file.Data = []byte(text)
	})
	if m.helpers != "" {
		c.Templates = append(c.Templates, &chart.File{Name: helpersFile, Data: []byte(m.helpers)})
	}
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
