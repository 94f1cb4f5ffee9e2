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

// What is made up may come out the same twice: one of two numbers, the parts of a
// mapping of two. Where a chart names what could do so, it is rendered more often.
const (
	renderings           = 2
	renderingsWithChance = 8
)

// changing are the functions that give something else each time.
func changing() []string { return append(chance(), never()...) }

// chance are those that may give the same now and then.
func chance() []string {
	return []string{
		"now", "ago", "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle",
	}
}

// never are those that never do.
func never() []string {
	return []string{
		"uuidv4", "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey",
		"genSignedCert", "genSignedCertWithKey", "htpasswd", "bcrypt", "encryptAES",
	}
}

// unordered are those that give the parts of a mapping in any order. Of keys the
// order is made certain before anything is rendered.
func unordered() []string { return []string{"values"} }

// again renders the chart once more, at another time, and refuses it where that
// gives something else: what is deployed would change with every look at it.
func (in Input) again(ctx context.Context, files []*loader.BufferedFile, first rendering) error {
	times := renderings
	if len(first.callers(slices.Concat(chance(), unordered(), fallingBack())...)) > 0 || len(first.inTexts()) > 0 {
		times = renderingsWithChance
	}
	for n := range times - 1 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		when := present()
		if n%2 == 0 {
			when = another(n / 2)
		}
		second, err := in.once(files, when)
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
	suspects := r.suspects(file)
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

// suspects are the calls that may be why a template gives something else each time: its
// own, else those of what it may include or give to tpl.
func (r rendering) suspects(file string) []call {
	elsewhere := func(c call) bool { return c.file != file }
	all := r.callers(slices.Concat(changing(), unordered())...)
	if own := slices.DeleteFunc(slices.Clone(all), elsewhere); len(own) > 0 {
		return own
	}
	late := r.callers(fallingBack()...)
	if own := slices.DeleteFunc(slices.Clone(late), elsewhere); len(own) > 0 {
		return own
	}
	if all = append(all, r.inTexts()...); len(all) == 0 {
		return late
	}
	return all
}

// inTexts are those calls in values and files that may be why: there, keys are in any
// order too.
func (r rendering) inTexts() []call {
	suspicious := slices.Concat(changing(), unordered(), []string{"keys"})
	return slices.DeleteFunc(slices.Clone(r.texts), func(c call) bool { return !slices.Contains(suspicious, c.function) })
}

// steady says how to get the same each time.
func steady(functions []string) string {
	order := append(unordered(), "keys")
	switch {
	case !slices.ContainsFunc(functions, func(f string) bool { return !slices.Contains(order, f) }):
		return "go through the keys in order instead: range $key, $value := …"
	case !slices.ContainsFunc(functions, func(f string) bool { return !slices.Contains(fallingBack(), f) }):
		return "give it a fixed time (toDate, or a number that went through int64): what is none is taken for the time it is, and durationRound counts from there; " + valuesHint
	}
	return "set the value that it would make up, so that every rendering has the same one; " + valuesHint
}
