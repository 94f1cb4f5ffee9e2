package helm

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// texts are what templates may give to tpl: the values, and the files of a chart and its
// dependencies, as far as there are actions in them. Their calls, in order.
func texts(c *chart.Chart, values any) []call {
	out := inValues(".Values", values)
	for _, file := range c.Files {
		if file != nil && strings.Contains(string(file.Data), "{{") {
			out = append(out, calls(file.Name, string(file.Data))...)
		}
	}
	for _, d := range c.Dependencies() {
		out = append(out, texts(d, nil)...)
	}
	return out
}

// inValues are the calls in values, which have no lines.
func inValues(at string, value any) []call {
	var out []call
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, inValues(at+"."+key, v[key])...)
		}
	case []any:
		for i, item := range v {
			out = append(out, inValues(at+"["+strconv.Itoa(i)+"]", item)...)
		}
	case string:
		if !strings.Contains(v, "{{") {
			return nil
		}
		for _, c := range calls(at, v) {
			c.line = 0
			out = append(out, c)
		}
	}
	return out
}
