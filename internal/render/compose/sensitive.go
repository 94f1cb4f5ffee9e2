package compose

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"syncd.io/syncd/internal/render/sensitive"
	"syncd.io/syncd/internal/resource"
)

// sensitiveIn returns the JSON pointers of all values in a spec that must not be
// shown: those whose name or form says so, and those that hold one of secrets.
func sensitiveIn(raw json.RawMessage, secrets []string) ([]string, error) {
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
		if sensitive.Text(v, m.secrets) || v != "" && !resource.SecretFlag(v) && resource.SecretName(name) {
			m.found = append(m.found, pointer)
		}
	}
}
