package helm

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// Go gives the keys of a mapping in another order each time, but of few keys often
// in the same one: where a template asks for them, it is rendered more often.
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

// unordered are those that give the parts of a mapping in any order.
func unordered() []string { return []string{"keys", "values"} }

// again renders the chart once more, at another time, and refuses it where that
// gives something else: what is deployed would change with every look at it.
func (in Input) again(ctx context.Context, files []*loader.BufferedFile, first rendering) error {
	times := renderings
	if len(first.callers(unordered()...)) > 0 {
		times = renderingsWithOrder
	}
	for range times - 1 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		second, err := in.once(files, true)
		if err != nil {
			return err
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
	return "put the keys in order: keys … | sortAlpha"
}

// atAnotherTime changes the templates so that now is another time: two renderings
// at the same day, hour or second would not tell.
func atAnotherTime(c *chart.Chart) {
	eachTemplate(c, func(name string, file *chart.File) {
		text := string(file.Data)
		places := calls(name, text)
		slices.Reverse(places)
		for _, p := range places {
			if instead := another(p); instead != "" {
				text = text[:p.offset] + instead + text[p.offset+len(p.function):]
			}
		}
		file.Data = []byte(text)
	})
}

// another is what stands for a function of the clock; empty for others.
func another(c call) string {
	switch {
	case c.function == "now":
		return fmt.Sprintf("(toDate %q %q)", "2006-01-02 15:04:05", "2001-02-03 04:05:06")
	case c.function == "ago" && c.first:
		return "print"
	}
	return ""
}
