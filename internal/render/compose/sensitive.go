package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/resource"
)

// sensitive returns the JSON pointers of all values in a spec that must not be
// shown: those whose name or form says so, and those that hold one of secrets.
func sensitive(raw json.RawMessage, secrets []string) ([]string, error) {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("look for secrets: %w", err)
	}
	m := marker{secrets: secrets}
	m.walk(tree, "", "")
	slices.Sort(m.found)
	return m.found, nil
}

type marker struct {
	secrets []string
	found   []string
}

func (m *marker) walk(v any, name, pointer string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			m.walk(value, key, pointer+"/"+resource.PointerToken(key))
		}
	case []any:
		flag := ""
		for i, value := range v {
			m.walk(value, flag, pointer+"/"+strconv.Itoa(i))
			if flag, _ = value.(string); !resource.SecretFlag(flag) {
				flag = ""
			}
		}
	case string:
		if v != "" && !resource.SecretFlag(v) && (resource.SecretName(name) || resource.SecretValue(v) || assigns(v) || m.holds(v)) {
			m.found = append(m.found, pointer)
		}
	}
}

// holds tells whether a text contains a secret value. Short ones must be the
// whole text: "1" is in everything.
func (m *marker) holds(text string) bool {
	for _, s := range m.secrets {
		if text == s || (len(s) >= mistake.MinSecret && strings.Contains(text, s)) {
			return true
		}
	}
	return false
}

// assigns finds PASSWORD=x and --token=x in a command or an option list.
func assigns(text string) bool {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '&' || r == ';' || r == '\n' || r == '\t' }) {
		name, value, ok := strings.Cut(word, "=")
		if ok && value != "" && resource.SecretName(name) {
			return true
		}
	}
	return false
}
