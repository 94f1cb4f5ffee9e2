package config

import (
	"reflect"
	"strings"
)

// placeholder stands for a free key in a path: jobs.NAME.before.
const placeholder = "NAME"

// field is one key of a configuration struct.
type field struct {
	name  string
	index int
	kind  reflect.Type
	rule  string
	keys  string
	// short is true where the value of this key alone may stand for the whole.
	short bool
}

// fieldsOf returns the keys of struct type t in the order of its declaration.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		kind := f.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		out = append(out, field{name: name, index: i, kind: kind, rule: f.Tag.Get("rule"), keys: f.Tag.Get("keys"), short: f.Tag.Get("short") == "true"})
	}
	return out
}

// pathsOf returns every path below struct type t, parents before children, with
// NAME for free keys.
func pathsOf(t reflect.Type, prefix string) []string {
	var out []string
	for _, f := range fieldsOf(t) {
		path := join(prefix, f.name)
		out = append(out, path)
		switch {
		case f.kind.Kind() == reflect.Struct:
			out = append(out, pathsOf(f.kind, path)...)
		case f.kind.Kind() == reflect.Slice && f.kind.Elem().Kind() == reflect.Struct:
			out = append(out, pathsOf(f.kind.Elem(), path)...)
		case f.kind.Kind() == reflect.Map && f.kind.Elem().Kind() == reflect.Struct:
			out = append(out, pathsOf(f.kind.Elem(), join(path, placeholder))...)
		}
	}
	return out
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
