package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"syncd.io/syncd/internal/nearest"
)

// decoder fills a struct from a tree of YAML nodes and reports every problem
// with its line, instead of stopping at the first.
type decoder struct {
	*problems
	// lines are where each path was written, for checks across fields.
	lines map[string]int
	// known are all paths of the root type, to say where a key belongs.
	known []string
}

// place is where a value stands: its path (repo.interval) and its rules.
type place struct {
	path string
	rule string // of the value, or of each element
	keys string // of a mapping's keys
	free bool   // the value is passed on as it stands: a variable, a label
}

func (d *decoder) decode(n *yaml.Node, v reflect.Value, at place) {
	d.lines[at.path] = n.Line
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), at)
	case reflect.Struct:
		d.object(n, v, at)
	case reflect.Map:
		d.mapping(n, v, at)
	case reflect.Slice:
		d.list(n, v, at)
	default:
		d.scalar(n, v, at)
	}
}

// object reads a mapping whose keys are the fields of a struct.
func (d *decoder) object(n *yaml.Node, v reflect.Value, at place) {
	fields := fieldsOf(v.Type())
	if i := slices.IndexFunc(fields, func(f field) bool { return f.short }); i >= 0 && n.Kind == yaml.ScalarNode && !null(n) {
		d.decode(n, v.Field(fields[i].index), place{path: join(at.path, fields[i].name), rule: fields[i].rule})
		return
	}
	for key, value := range d.pairs(n, at) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == key.Value })
		if i < 0 {
			d.unknown(key, fields, at)
			continue
		}
		f := fields[i]
		d.decode(value, v.Field(f.index), place{path: join(at.path, f.name), rule: f.rule, keys: f.keys})
	}
}

// unknown reports a key that no field has, with what was probably meant.
func (d *decoder) unknown(key *yaml.Node, fields []field, at place) {
	if d.full() {
		d.more++
		return
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	hint := "known keys here: " + strings.Join(names, ", ")
	elsewhere := slices.IndexFunc(d.known, func(path string) bool {
		return strings.HasSuffix(path, "."+key.Value) && !strings.Contains(path, placeholder)
	})
	if near := nearest.Word(key.Value, names); near != "" {
		hint = `did you mean "` + near + `"?`
	} else if elsewhere >= 0 {
		hint = "it belongs at " + d.known[elsewhere]
	}
	d.add(key.Line, hint, "unknown key %q", shorten(join(at.path, key.Value)))
}

// mapping reads a mapping with free keys. An empty one stays nil, so that it is
// the same as none.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, at place) {
	for key, value := range d.pairs(n, at) {
		path := join(at.path, key.Value)
		if want := breaks(at.keys, key.Value); want != "" {
			d.add(key.Line, "", "%s: the name %q is not %s", at.path, shorten(key.Value), want)
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, element, place{path: path, rule: at.rule, free: true})
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(reflect.ValueOf(key.Value), element)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, at place) {
	if null(n) || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return
	}
	if n.Kind != yaml.SequenceNode {
		d.add(n.Line, "write each entry on a line of its own, after a dash", "%s is %s: want a list", at.path, describe(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, child := range n.Content {
		d.lines[nth(at.path, i)] = child.Line
		d.decode(child, v.Index(i), at)
	}
}

// nth names an entry of a list.
func nth(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// pairs yields the keys and values of a mapping; doubled keys and keys that are
// no plain words are reported and left out. An empty value is an empty mapping:
// what remains when all that stood below a key is commented out.
func (d *decoder) pairs(n *yaml.Node, at place) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if null(n) {
			return
		}
		if n.Kind != yaml.MappingNode {
			d.add(n.Line, "", "%s is %s: want a mapping of keys to values", d.title(at), describe(n))
			return
		}
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			switch first, double := seen[key.Value]; {
			case key.Kind != yaml.ScalarNode:
				d.add(key.Line, "", "%s has a key that is %s: want a word", d.title(at), describe(key))
			case double:
				d.add(key.Line, "remove one of them", "duplicate key %q, first on line %d", shorten(join(at.path, key.Value)), first)
			default:
				seen[key.Value] = key.Line
				if !yield(key, value) {
					return
				}
			}
		}
	}
}

// title names a place in a message.
func (d *decoder) title(at place) string {
	if at.path == "" {
		return "the file"
	}
	return at.path
}
