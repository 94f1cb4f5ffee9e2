package drift

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// differ walks two JSON trees side by side and collects the leaves that differ.
type differ struct {
	inPlace   []string
	sensitive []string
	secrets   []string
	changes   []Change
	// sieve lets fields differ; ignored are those that do.
	sieve   sieve
	ignored []Ignored
}

// spot is one place in both trees: its JSON pointer (for rules) and its path
// (for people).
type spot struct {
	pointer, path string
	// secret is true where the name of the place, or of one around it, says so;
	// flag where it only names a secret that follows.
	secret, flag bool
}

func (s spot) field(name string) spot {
	path := Harmless(name)
	if s.path != "" {
		path = s.path + "." + path
	}
	return spot{pointer: s.pointer + "/" + resource.PointerToken(name), path: path, secret: s.secret || resource.SecretName(name)}
}

func (s spot) element(index int, id identity) spot {
	return spot{
		pointer: s.pointer + "/" + strconv.Itoa(index), path: s.path + "[" + Harmless(id.value) + "]",
		secret: s.secret || id.named && resource.SecretName(id.value),
	}
}

// diff returns the fields in which live differs from want, in path order. Equal
// bytes are the fast path: both sides are canonical.
func (d *differ) diff(want, live json.RawMessage) []Change {
	if bytes.Equal(want, live) {
		return nil
	}
	d.walk(spot{}, decode(want), decode(live))
	return d.changes
}

// decode reads JSON that an adapter wrote; what is not JSON is compared as text.
func decode(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree any
	if dec.Decode(&tree) != nil {
		return string(raw)
	}
	return tree
}

func (d *differ) walk(at spot, want, live any) {
	w, wantMap := fields(want)
	l, liveMap := fields(live)
	if wantMap && liveMap && len(w)+len(l) > 0 {
		d.walkMap(at, w, l)
		return
	}
	if w, ok := want.([]any); ok {
		if l, ok := live.([]any); ok && d.walkList(at, w, l) {
			return
		}
	}
	if !reflect.DeepEqual(want, live) {
		d.leaf(at, want, live)
	}
}

// fields returns v as a map; nothing counts as an empty one, so that what was
// added or removed as a whole is shown field by field, too.
func fields(v any) (map[string]any, bool) {
	if v == nil {
		return nil, true
	}
	m, ok := v.(map[string]any)
	return m, ok
}

func (d *differ) walkMap(at spot, want, live map[string]any) {
	keys := slices.Collect(maps.Keys(want))
	for k := range live {
		if _, ok := want[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		d.walk(at.field(k), want[k], live[k])
	}
}

// walkList compares lists of objects element by element, matched by what
// identifies them (a port's target, a mount's target, a network's key), and
// says false for any other list, which is then one leaf.
func (d *differ) walkList(at spot, want, live []any) bool {
	wantIDs, ok := identities(want)
	if !ok {
		return false
	}
	liveIDs, ok := identities(live)
	if !ok {
		return false
	}
	for i, id := range wantIDs {
		d.walk(at.element(i, id), want[i], pick(live, slices.Index(liveIDs, id)))
	}
	for i, id := range liveIDs {
		if !slices.Contains(wantIDs, id) {
			d.walk(at.element(i, id), nil, live[i])
		}
	}
	return true
}

func pick(list []any, i int) any {
	if i < 0 {
		return nil
	}
	return list[i]
}

// identity is what tells one element of a list from another; named is true where
// it is a name, and may therefore say that the element holds a secret.
type identity struct {
	value string
	named bool
}

func identities(list []any) ([]identity, bool) {
	ids := make([]identity, 0, len(list))
	for _, v := range list {
		id, ok := identify(v)
		if !ok || slices.Contains(ids, id) {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

func identify(v any) (identity, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return identity{}, false
	}
	for _, name := range []string{"target", "network", "name", "path", "subnet", "mountPath", "containerPort", "port", "key", "host", "type"} {
		switch id := m[name].(type) {
		case string:
			return identity{value: id, named: name == "name"}, true
		case json.Number:
			return identity{value: id.String() + protocol(m)}, true
		}
	}
	return identity{}, false
}

func protocol(m map[string]any) string {
	if p, ok := m["protocol"].(string); ok && p != "tcp" {
		return "/" + p
	}
	return ""
}

func (d *differ) leaf(at spot, want, live any) {
	c := Change{Path: at.path, InPlace: hasPrefix(at.pointer, d.inPlace)}
	switch {
	case d.secret(at, want, live):
		c.Want, c.Live = masked(want), masked(live)
	case slices.Contains(spec.Times(), at.pointer):
		c.Want, c.Live = span(want), span(live)
	default:
		c.Want, c.Live = showBoth(want, live)
	}
	if reason, ok := d.sieve.lets(at); ok {
		d.ignored = append(d.ignored, Ignored{Change: c, Rule: reason})
		return
	}
	d.changes = append(d.changes, c)
}

func (d *differ) secret(at spot, values ...any) bool {
	if at.secret {
		return true
	}
	for _, p := range d.sensitive {
		if hasPrefix(at.pointer, []string{p}) || hasPrefix(p, []string{at.pointer}) {
			return true
		}
	}
	return slices.ContainsFunc(values, secretWithin) || slices.ContainsFunc(values, d.repeats)
}

// repeats looks for one of the known secrets in a value.
func (d *differ) repeats(v any) bool {
	switch v := v.(type) {
	case string:
		return slices.ContainsFunc(d.secrets, func(s string) bool { return len(s) >= resource.ShortestSecret && strings.Contains(v, s) })
	case []any:
		return slices.ContainsFunc(v, d.repeats)
	case map[string]any:
		for _, inner := range v {
			if d.repeats(inner) {
				return true
			}
		}
	}
	return false
}

// secretWithin looks for credentials in a value that stands alone or in a list: also in
// one whose elements cannot be told apart, such as variables of which one stands twice.
func secretWithin(v any) bool {
	switch v := v.(type) {
	case string:
		return resource.SecretValue(v)
	case []any:
		return slices.ContainsFunc(v, secretWithin)
	case map[string]any:
		if id, _ := identify(v); id.named && resource.SecretName(id.value) {
			return true
		}
		for name, inner := range v {
			if resource.SecretName(name) || secretWithin(inner) {
				return true
			}
		}
	}
	return false
}
