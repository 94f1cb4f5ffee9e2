package compose

import (
	"errors"
	"fmt"
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
}

func newVariables(host map[string]string) *variables {
	return &variables{host: host, used: map[string]bool{}, plain: plainReference()}
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
	strict := v.plain.ReplaceAllStringFunc(text, func(ref string) string {
		m := v.plain.FindStringSubmatch(ref)
		if name := m[1] + m[2]; name != "" {
			return "${" + name + "?}"
		}
		return ref
	})
	return template.Substitute(strict, func(name string) (string, bool) {
		value, ok := lookup(name)
		if ok {
			v.note(name)
		}
		return value, ok
	})
}

// names returns the values that were used, in order.
func (v *variables) names() []string {
	out := sortedKeys(v.used)
	return slices.Clip(out)
}

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
