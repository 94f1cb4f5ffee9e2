package drift

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// Rule names fields that may differ: it is no drift, and syncd does not put them back
// by itself.
type Rule struct {
	// Objects are globs of KIND/NAME or KIND/NAMESPACE/NAME, as Key prints them; none is
	// every object.
	Objects []string
	// Fields are as reports print them, or JSON pointers into the spec: with all that is
	// below. A * stands for one name.
	Fields []string
	// Reason says why, for those who read of it.
	Reason string
}

// Ignored is a field that differs, as a rule allows.
type Ignored struct {
	Change
	Rule string `json:"rule"`
}

// Covers tells whether the rule is about the object.
func (r Rule) Covers(key resource.Key) bool {
	if len(r.Objects) == 0 {
		return true
	}
	for _, glob := range r.Objects {
		if fits(glob, key) {
			return true
		}
	}
	return false
}

// Idle says of which rules none is about any of the objects, and of which globs, one
// line each.
func Idle(rules []Rule, objects []resource.Key) []string {
	var out []string
	for i, r := range rules {
		for _, glob := range r.Objects {
			if !slices.ContainsFunc(objects, func(k resource.Key) bool { return fits(glob, k) }) {
				out = append(out, fmt.Sprintf("drift.ignore, rule %d: no object of the app is called %s", i+1, glob))
			}
		}
	}
	return out
}

// fits compares part by part; the name alone may have more than one, such as that of a
// service's instance, of which the first will do.
func fits(glob string, key resource.Key) bool {
	names := []string{key.String(), key.Kind + "/" + key.Name}
	if key.Kind == strings.ToLower(key.Kind) && key.Namespace != "" { // container/web/1
		names = append(names, key.Kind+"/"+key.Namespace)
	}
	for _, name := range names {
		if ok, err := path.Match(glob, name); err == nil && ok {
			return true
		}
	}
	return false
}

// sieve is the rules that are about one object, ready to be asked for each field.
type sieve []mesh

type mesh struct {
	field   *regexp.Regexp
	pointer bool
	reason  string
}

func sieveOf(rules []Rule, key resource.Key) sieve {
	var out sieve
	for _, r := range rules {
		if !r.Covers(key) {
			continue
		}
		for _, field := range r.Fields {
			out = append(out, mesh{field: pattern(field), pointer: strings.HasPrefix(field, "/"), reason: r.Reason})
		}
	}
	return out
}

// pattern matches the field, and what is below it.
func pattern(field string) *regexp.Regexp {
	one, below := `[^.\[\]]*`, `($|[.\[])`
	if strings.HasPrefix(field, "/") {
		one, below = `[^/]*`, `($|/)`
	}
	return regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(strings.ToValidUTF8(strings.TrimSuffix(field, "/"), "?")), `\*`, one) + below)
}

// lets tells whether a rule allows the field to differ, and why.
func (s sieve) lets(at spot) (reason string, ok bool) {
	for _, m := range s {
		place := at.path
		if m.pointer {
			place = at.pointer
		}
		if m.field.MatchString(place) {
			return m.reason, true
		}
	}
	return "", false
}

// Yield returns what is wanted of a pair with the value that the live instance (its
// index) has wherever a rule allows that to differ: what mends all else leaves it so.
func Yield(p resource.Pair, instance int, rules []Rule) resource.Object {
	out := *p.Want
	s := sieveOf(rules, p.Key)
	if len(s) == 0 {
		return out
	}
	tree := s.blend(spot{}, decode(p.Want.Spec), decode(p.Live[instance].Spec))
	if raw, err := resource.Canonical(tree); err == nil {
		out.Spec = raw
	}
	return out
}

// blend is want with the live value where a rule says so.
func (s sieve) blend(at spot, want, live any) any {
	if _, ok := s.lets(at); ok {
		return live
	}
	switch w := want.(type) {
	case map[string]any:
		l, ok := fields(live)
		if !ok {
			return want
		}
		for name := range l {
			if _, there := w[name]; !there {
				w[name] = nil
			}
		}
		for name, v := range w {
			if v = s.blend(at.field(name), v, l[name]); v == nil {
				delete(w, name)
				continue
			}
			w[name] = v
		}
		return w
	case []any:
		return s.blendList(at, w, live)
	case nil:
		return s.added(at, live)
	}
	return want
}

// added is what a rule lets be of something that is not wanted at all; nil is nothing.
func (s sieve) added(at spot, live any) any {
	l, ok := live.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{}
	for name, v := range l {
		if v = s.blend(at.field(name), nil, v); v != nil {
			out[name] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (s sieve) blendList(at spot, want []any, live any) any {
	l, ok := live.([]any)
	wantIDs, named := identities(want)
	liveIDs, both := identities(l)
	if !ok || !named || !both {
		return want
	}
	out := []any{}
	for i, id := range wantIDs {
		if v := s.blend(at.element(i, id), want[i], pick(l, slices.Index(liveIDs, id))); v != nil {
			out = append(out, v)
		}
	}
	for i, id := range liveIDs {
		if slices.Index(wantIDs, id) >= 0 {
			continue
		}
		if _, ok := s.lets(at.element(i, id)); ok {
			out = append(out, l[i])
		}
	}
	return out
}
