package config

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"syncd.io/syncd/internal/nearest"
	"syncd.io/syncd/internal/resource"
)

// scalar reads one plain value of the type that its field has.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value, at place) {
	if at.rule == "onRollback" && n.Kind == yaml.MappingNode {
		d.runService(n, v, at)
		return
	}
	if n.Kind != yaml.ScalarNode {
		d.add(n.Line, "", "%s is %s: want %s", at.path, describe(n), wanted(v, at.rule))
		return
	}
	if null(n) {
		d.add(n.Line, "give it a value ('' is the empty one) or remove the key", "%s has no value", at.path)
		return
	}
	switch {
	case v.CanAddr() && measured(v):
		d.quantity(n, v, at)
	case v.Kind() == reflect.String:
		d.text(n, v, at)
	case v.Kind() == reflect.Bool:
		d.truth(n, v, at)
	default:
		d.number(n, v, at)
	}
}

// text reads a string. A number is taken as it is written (a branch may be
// called 2024), true and false only where the
// value is passed on as it stands.
func (d *decoder) text(n *yaml.Node, v reflect.Value, at place) {
	boolean := n.ShortTag() == "!!bool"
	if boolean && !at.free {
		d.add(n.Line, "put the value in quotes", "%s is %s: want %s", at.path, describe(n), wanted(v, at.rule))
		return
	}
	value := n.Value
	if strings.ContainsFunc(value, control(at)) && !at.free || strings.ContainsRune(value, 0) {
		d.add(n.Line, "", "%s holds control characters", at.path)
		return
	}
	if want := breaks(at.rule, value); want != "" {
		d.add(n.Line, suggest(at.rule, value), "%s is %s: want %s", at.path, show(at.path, value), want)
		return
	}
	if service, ok := strings.CutPrefix(value, "run:"); ok && at.rule == "onRollback" {
		value = "run: " + strings.TrimSpace(service)
	}
	v.SetString(value)
}

// control tells which characters a value must not hold: only a template has lines.
func control(at place) func(rune) bool {
	return func(r rune) bool {
		return unicode.IsControl(r) && (at.rule != "template" || r != '\n' && r != '\t')
	}
}

func suggest(rule, value string) string {
	if near := nearest.Word(value, choices(rule)); near != "" {
		return `did you mean "` + near + `"?`
	}
	return ""
}

// truth reads true or false, and nothing else that YAML once took for them.
func (d *decoder) truth(n *yaml.Node, v reflect.Value, at place) {
	switch n.Value {
	case "true", "false":
		if n.Style == 0 {
			v.SetBool(n.Value == "true")
			return
		}
		d.add(n.Line, "remove the quotes", "%s is text: want true or false", at.path)
	default:
		d.add(n.Line, "write true or false", "%s is %s: want true or false", at.path, show(at.path, n.Value))
	}
}

func (d *decoder) number(n *yaml.Node, v reflect.Value, at place) {
	value, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || n.Style != 0 {
		d.add(n.Line, "", "%s is %s: want a whole number", at.path, show(at.path, n.Value))
		return
	}
	v.SetInt(value)
	d.bounded(n, v, at)
}

// quantity reads a Duration or Bytes.
func (d *decoder) quantity(n *yaml.Node, v reflect.Value, at place) {
	u, _ := v.Addr().Interface().(encoding.TextUnmarshaler)
	if err := u.UnmarshalText([]byte(n.Value)); err != nil {
		d.add(n.Line, "", "%s is %s: want %s", at.path, show(at.path, n.Value), wanted(v, at.rule))
		return
	}
	d.bounded(n, v, at)
}

func (d *decoder) bounded(n *yaml.Node, v reflect.Value, at place) {
	if outside(at.rule, v) {
		d.add(n.Line, "", "%s is %s: want %s", at.path, show(at.path, n.Value), wanted(v, at.rule))
		v.SetInt(0)
	}
}

// runService reads the mapping form of jobs.NAME.onRollback: {run: SERVICE}.
func (d *decoder) runService(n *yaml.Node, v reflect.Value, at place) {
	if len(n.Content) != 2 || n.Content[0].Value != "run" || n.Content[1].Kind != yaml.ScalarNode {
		d.add(n.Line, "", "%s is a mapping: want halt, keep or {run: SERVICE}", at.path)
		return
	}
	if want := breaks("service", n.Content[1].Value); want != "" {
		d.add(n.Line, "", "%s.run is %s: want %s", at.path, show(at.path, n.Content[1].Value), want)
		return
	}
	v.SetString("run: " + n.Content[1].Value)
}

// measured tells whether v is a Duration or Bytes.
func measured(v reflect.Value) bool {
	return v.Type() == reflect.TypeFor[Duration]() || v.Type() == reflect.TypeFor[Bytes]()
}

// wanted says in words what a value of this type and rule is.
func wanted(v reflect.Value, rule string) string {
	word, example := "text", ""
	switch {
	case v.Type() == reflect.TypeFor[Duration]():
		word, example = "a duration", ", such as 30s or 5m"
	case v.Type() == reflect.TypeFor[Bytes]():
		word, example = "a size", ", such as 512MiB"
	case v.Kind() == reflect.Bool:
		word = "true or false"
	case v.Kind() == reflect.Int:
		word = "a whole number"
	}
	if low, high, ok := bounds(rule); ok {
		word += " between " + low + " and " + high
	}
	return word + example
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// describe says what kind of thing a node is, never what it holds.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case null(n):
		return "empty"
	case n.ShortTag() == "!!bool":
		return "a boolean"
	case slices.Contains([]string{"!!int", "!!float"}, n.ShortTag()):
		return "a number"
	default:
		return "text"
	}
}

// secretURL tells whether a key holds a URL that is a secret in itself.
func secretURL(path string) bool {
	return path == "heartbeat.url" || strings.HasPrefix(path, "notify.channels") && strings.HasSuffix(path, ".url")
}

// show quotes a value for a message: shortened, and masked where the key or the
// value looks like a secret.
func show(path, value string) string {
	if resource.SecretName(path) || resource.SecretValue(value) || strings.HasPrefix(path, "host.vars") || secretURL(path) {
		return resource.Mask
	}
	return strconv.Quote(shorten(value))
}

func shorten(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
