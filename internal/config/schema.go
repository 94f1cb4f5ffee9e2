package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

//go:generate go run ./schemagen ../../schemas

// HostSchema returns the JSON Schema (draft 2020-12) of syncd.yaml, indented.
func HostSchema() ([]byte, error) {
	return schemaOf(reflect.TypeFor[Host](), "syncd.yaml", "What is particular to one host.", hostKeys(), "repo")
}

// AppSchema returns the JSON Schema (draft 2020-12) of .syncd.yaml, indented.
func AppSchema() ([]byte, error) {
	return schemaOf(reflect.TypeFor[App](), ".syncd.yaml", "What Git says about one app directory beyond its Compose file.", appKeys())
}

// tree is a piece of JSON Schema; encoding/json sorts its keys.
type tree = map[string]any

// schemas makes the pieces of one schema.
type schemas struct{ docs map[string]keyDoc }

func schemaOf(t reflect.Type, title, text string, docs []keyDoc, required ...string) ([]byte, error) {
	s := schemas{docs: map[string]keyDoc{}}
	for _, doc := range docs {
		s.docs[doc.path] = doc
	}
	root := s.object(t, "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"], root["description"] = title, text
	if len(required) > 0 {
		root["required"] = required
	}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the schema of %s: %w", title, err)
	}
	return append(data, '\n'), nil
}

// object describes a struct. A key with nothing below it is allowed, as the
// decoder allows it.
func (s schemas) object(t reflect.Type, path string) tree {
	properties := tree{}
	for _, f := range fieldsOf(t) {
		at := join(path, f.name)
		node := s.value(f, at)
		doc := s.docs[at]
		node["description"] = doc.text
		if value, ok := defaultOf(f.kind, doc.deflt); ok {
			node["default"] = value
		}
		properties[f.name] = node
	}
	out := tree{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
	switch t {
	case reflect.TypeFor[Host]():
		out["type"] = "object"
	case reflect.TypeFor[Repo]():
		out["type"], out["required"] = "object", []string{"url"}
	case reflect.TypeFor[Ref]():
		out["maxProperties"] = 1
	case reflect.TypeFor[Ignore]():
		fields := properties["fields"].(tree)
		fields["type"], fields["minItems"] = "array", 1
		out["type"], out["required"] = "object", []string{"fields"}
	case reflect.TypeFor[Window](), reflect.TypeFor[HostWindow]():
		out["type"], out["required"] = "object", []string{"kind", "schedule", "duration"}
	case reflect.TypeFor[Hook]():
		out["type"], out["required"] = "object", []string{"name", "provider", "secretFile"}
	case reflect.TypeFor[Route]():
		out["type"], out["required"] = "object", []string{"to"}
	case reflect.TypeFor[Feedback]():
		out["type"], out["required"] = "object", []string{"provider"}
	case reflect.TypeFor[Channel]():
		out["type"], out["required"] = "object", []string{"type"}
	}
	return out
}

func (s schemas) value(f field, path string) tree {
	switch f.kind.Kind() {
	case reflect.Struct:
		return s.object(f.kind, path)
	case reflect.Map:
		out := tree{"type": []string{"object", "null"}, "propertyNames": ruled("", f.keys)}
		if element := f.kind.Elem(); element.Kind() == reflect.Struct {
			out["additionalProperties"] = s.object(element, join(path, placeholder))
		} else {
			out["additionalProperties"] = ruled([]string{"string", "number", "boolean"}, f.rule)
		}
		return out
	case reflect.Slice:
		return tree{"type": []string{"array", "null"}, "items": s.item(f, path)}
	default:
		return leaf(f)
	}
}

// item describes an entry of a list; where one key alone may stand for it, either
// form.
func (s schemas) item(f field, path string) tree {
	element := f.kind.Elem()
	if element.Kind() != reflect.Struct {
		return ruled("string", f.rule)
	}
	out := s.object(element, path)
	for _, key := range fieldsOf(element) {
		if key.short {
			out["type"], out["required"] = "object", []string{key.name}
			return tree{"oneOf": []tree{leaf(key), out}}
		}
	}
	return out
}

// leaf describes a plain value.
func leaf(f field) tree {
	switch {
	case f.kind == reflect.TypeFor[Duration]():
		return tree{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
	case f.kind == reflect.TypeFor[Bytes]():
		return tree{"type": []string{"string", "integer"}, "pattern": `^[0-9]+ ?([KMGT]iB|[kMGT]B|B)?$`}
	case f.kind.Kind() == reflect.Bool:
		return tree{"type": "boolean"}
	case f.kind.Kind() == reflect.Int:
		out := tree{"type": "integer"}
		if low, high, ok := bounds(f.rule); ok {
			out["minimum"], out["maximum"] = json.Number(low), json.Number(high)
		}
		return out
	case f.rule == "onRollback":
		run := tree{"type": "object", "properties": tree{"run": ruled("string", "service")}, "required": []string{"run"}, "additionalProperties": false}
		return tree{"oneOf": []tree{ruled("string", f.rule), run}}
	default:
		return ruled("string", f.rule)
	}
}

// ruled describes a string, or what is taken for one, that obeys a rule.
func ruled(kind any, rule string) tree {
	out := tree{}
	if kind != "" {
		out["type"] = kind
	}
	if words := choices(rule); words != nil {
		out["enum"] = words
		return out
	}
	if s, ok := shapeOf(rule); ok {
		out["pattern"] = s.pattern
		if s.refuse != "" {
			out["not"] = tree{"pattern": s.refuse}
		}
	}
	return out
}

// defaultOf returns the default in its own type; false where the documentation
// describes it in words.
func defaultOf(t reflect.Type, text string) (any, bool) {
	switch t.Kind() {
	case reflect.Bool:
		value, err := strconv.ParseBool(text)
		return value, err == nil
	case reflect.Int:
		value, err := strconv.Atoi(text)
		return value, err == nil
	case reflect.Int64:
		return text, text != ""
	case reflect.String:
		return text, text != "" && text != "none" && !strings.Contains(text, " ")
	default:
		return nil, false
	}
}
