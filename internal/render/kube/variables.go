package kube

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const hintVariable = "give it in `host.vars` of syncd.yaml, or write a default: ${%s:-…}"

// variables is what ${…} may use in settings, and a record of what it did use.
// Manifests know no variables: $ is a letter like any other there.
type variables struct {
	host map[string]string
	used map[string]bool
}

func newVariables(host map[string]string) *variables {
	return &variables{host: host, used: map[string]bool{}}
}

// names returns the values that were used, in order.
func (v *variables) names() []string { return slices.Sorted(maps.Keys(v.used)) }

// errVariable says what is wrong with a setting's references, and what to do.
type errVariable struct{ text, hint string }

// Error is the text; the hint is the caller's to add.
func (e errVariable) Error() string { return e.text }

// hintOf is the hint of an errVariable.
func hintOf(err error) string {
	var e errVariable
	if errors.As(err, &e) {
		return e.hint
	}
	return ""
}

// reference finds ${NAME}, ${NAME:-default}, $$ and a $ that is none of these.
func reference() *regexp.Regexp {
	return regexp.MustCompile(`\$\$|\$\{([_a-zA-Z][_a-zA-Z0-9]*)(:-([^${}]*))?\}|\$`)
}

// fill puts the host's values into a setting. A variable without value and
// default is an error; $$ is a $.
func (v *variables) fill(text string) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	var out strings.Builder
	end := 0
	for _, at := range reference().FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[end:at[0]])
		end = at[1]
		value, err := v.value(text, at)
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		if out.Len() > maxValue {
			return "", errVariable{text: fmt.Sprintf("the value grows beyond %d bytes", maxValue)}
		}
	}
	out.WriteString(text[end:])
	return out.String(), nil
}

// value is that of one reference, by the places of its parts in text.
func (v *variables) value(text string, at []int) (string, error) {
	switch {
	case text[at[0]:at[1]] == "$$":
		return "$", nil
	case at[2] < 0:
		return "", errVariable{"a $ that begins no ${NAME}", "write $$ where a $ is meant"}
	}
	name := text[at[2]:at[3]]
	value, ok := v.host[name]
	if ok {
		v.used[name] = true
	}
	if at[4] >= 0 && value == "" {
		return text[at[6]:at[7]], nil
	}
	if !ok {
		return "", errVariable{fmt.Sprintf("the variable %s has no value", name), fmt.Sprintf(hintVariable, name)}
	}
	return value, nil
}
