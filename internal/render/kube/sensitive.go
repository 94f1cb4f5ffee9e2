package kube

import (
	"slices"
	"strconv"

	"syncd.io/syncd/internal/render/sensitive"
	"syncd.io/syncd/internal/resource"
)

// sensitive returns the JSON pointers of all values of an object that must not be
// shown: what a Secret holds, variables whose name says so, and texts that carry
// credentials or one of the host's secret values.
func (a *app) sensitive(key resource.Key, tree map[string]any) []string {
	m := marker{secrets: a.secrets()}
	if key.Kind == "Secret" {
		m.found = []string{"/data", "/stringData"}
	}
	for name, value := range tree {
		if key.Kind == "Secret" && (name == "data" || name == "stringData") {
			continue
		}
		m.walk(value, "/"+resource.PointerToken(name), key.Kind == "ConfigMap" && (name == "data" || name == "binaryData"))
	}
	slices.Sort(m.found)
	return m.found
}

type marker struct {
	secrets []string
	found   []string
}

// walk looks at a value; named tells that it is a mapping whose keys are names that
// people gave, as in a ConfigMap. The names of Kubernetes' own fields say nothing:
// secretName is none.
func (m *marker) walk(v any, pointer string, named bool) {
	switch v := v.(type) {
	case map[string]any:
		variable := isVariable(v)
		for key, value := range v {
			at := pointer + "/" + resource.PointerToken(key)
			s, isText := value.(string)
			if isText && s != "" && (named && resource.SecretName(key) || variable && key == "value") {
				m.found = append(m.found, at)
				continue
			}
			m.walk(value, at, false)
		}
	case []any:
		flag := false
		for i, value := range v {
			at := pointer + "/" + strconv.Itoa(i)
			s, isText := value.(string)
			if flag && isText && s != "" && !resource.SecretFlag(s) {
				m.found = append(m.found, at)
			} else {
				m.walk(value, at, false)
			}
			flag = isText && resource.SecretFlag(s)
		}
	case string:
		if sensitive.Text(v, m.secrets) {
			m.found = append(m.found, pointer)
		}
	}
}

// isVariable tells of {name: DB_PASSWORD, value: ...}, as containers have it.
func isVariable(v map[string]any) bool {
	_, valued := v["value"].(string)
	return valued && resource.SecretName(text(v["name"]))
}
