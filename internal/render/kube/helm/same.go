package helm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"

	"syncd.io/syncd/internal/fault"
)

// Go gives the parts of a mapping in another order each time, but of few parts mostly
// in the same one: where a template asks for values, it is rendered more often.
const (
	renderings          = 2
	renderingsWithOrder = 8
)

// changing are the functions that give something else each time.
func changing() []string {
	return []string{
		"now", "ago", "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt",
		"shuffle", "uuidv4", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
		"genSignedCert", "genSignedCertWithKey", "htpasswd", "bcrypt", "encryptAES",
	}
}

// unordered are those that give the parts of a mapping in any order. Of keys the
// order is made certain before anything is rendered.
func unordered() []string { return []string{"values"} }

// again renders the chart once more, at another time, and refuses it where that
// gives something else: what is deployed would change with every look at it.
func (in Input) again(ctx context.Context, files []*loader.BufferedFile, first rendering) error {
	times, elsewhen := renderings, []moment{another, present}
	if len(first.callers(unordered()...)) > 0 {
		times = renderingsWithOrder
	}
	for n := range times - 1 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		second, err := in.once(files, elsewhen[n%len(elsewhen)])
		if err != nil {
			return fault.Hint(fmt.Errorf("the chart gives something else each time that it is rendered, and at another time nothing: %w", err), steady(changing()))
		}
		for _, name := range slices.Sorted(maps.Keys(first.files)) {
			if first.files[name] != second.files[name] {
				return first.unsteady(name)
			}
		}
	}
	return nil
}

// unsteady names a template that gives something else each time, and the functions
// that may be why: its own, else those of templates that it may include.
func (r rendering) unsteady(name string) error {
	file := inside(r.chart.Name(), name)
	suspects := r.callers(slices.Concat(changing(), unordered())...)
	own := slices.DeleteFunc(slices.Clone(suspects), func(c call) bool { return c.file != file })
	if len(own) > 0 {
		suspects = own
	}
	var functions []string
	for _, c := range suspects {
		if !slices.Contains(functions, c.function) {
			functions = append(functions, c.function)
		}
	}
	why := ""
	if len(functions) > 0 {
		why = ": it uses " + strings.Join(functions, ", ") + at(suspects)
	}
	return rejected(steady(functions), "%s gives something else each time that it is rendered%s", file, why)
}

// steady says how to get the same each time.
func steady(functions []string) string {
	for _, f := range functions {
		if !slices.Contains(unordered(), f) {
			return "set the value that it would make up, so that every rendering has the same one; " + valuesHint
		}
	}
	return "go through the keys in order instead: range $key, $value := …"
}
