package compose

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/template"
)

const hintVariable = "give it in `host.vars` or in a file of `host.envFiles` of syncd.yaml, or write a default: ${%s:-…}"

// plainReference finds $NAME and ${NAME}, and $$ so as to pass over it.
func plainReference() *regexp.Regexp {
	return regexp.MustCompile(`\$\$|\$\{([_a-zA-Z][_a-zA-Z0-9]*)\}|\$([_a-zA-Z][_a-zA-Z0-9]*)`)
}

// variables is what ${…} may use, and a record of what it did use.
type variables struct {
	host  map[string]string // what the host gives
	used  map[string]bool
	plain *regexp.Regexp
	// seen are the values that the scanner met, by name. Once sealed, no other
	// is put in: nothing that the scanner did not read gives one.
	seen   map[string]map[string]bool
	sealed bool
}

func newVariables(host map[string]string) *variables {
	return &variables{host: host, used: map[string]bool{}, plain: plainReference(), seen: map[string]map[string]bool{}}
}

// met tells whether the value is one that was put in before, or remembers it.
func (v *variables) met(name, value string) bool {
	if v.seen[name] == nil {
		v.seen[name] = map[string]bool{}
	}
	if !v.sealed {
		v.seen[name][value] = true
	}
	return v.seen[name][value]
}

// note records that a value of the host was used.
func (v *variables) note(name string) {
	if _, ok := v.host[name]; ok {
		v.used[name] = true
	}
}

// substitute interpolates text as Compose does, except that a variable without
// value and default is an error: $A and ${A} mean ${A?}.
func (v *variables) substitute(text string, lookup template.Mapping) (string, error) {
	strict := required(v.plain, text)
	var foreign string
	out, err := template.Substitute(strict, func(name string) (string, bool) {
		value, ok := lookup(name)
		if ok {
			v.note(name)
			if !v.met(name, value) {
				foreign = name
			}
		}
		return value, ok
	})
	if err == nil && foreign != "" {
		return "", fmt.Errorf("the variable %s has a value that was not checked before", foreign)
	}
	return out, err
}

// names returns the values that were used, in order.
func (v *variables) names() []string { return slices.Sorted(maps.Keys(v.used)) }

// variableError says which variable has no value, as cause and hint.
func variableError(err error) (text, hint string) {
	var missing *template.MissingRequiredError
	if !errors.As(err, &missing) {
		var invalid *template.InvalidTemplateError
		if errors.As(err, &invalid) {
			return "a ${…} that is not complete", "write $$ where a $ is meant"
		}
		return err.Error(), ""
	}
	text = fmt.Sprintf("the variable %s has no value", missing.Variable)
	if missing.Reason != "" {
		text += ": " + missing.Reason
	}
	return text, fmt.Sprintf(hintVariable, missing.Variable)
}

func variableHint(name string) string { return fmt.Sprintf(hintVariable, name) }
