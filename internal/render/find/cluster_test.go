package find

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a file in braces is, is said by the keys of its first level alone, in all forms
// that YAML has.
func TestAManifestInBraces(t *testing.T) {
	for text, want := range map[string]bool{
		`{"apiVersion": "v1", "kind": "ConfigMap"}`:                                      true,
		`{"apiVersion":"v1","items":[{"a":"}"}],"kind":"List"}`:                          true,
		"{apiVersion: v1, kind: ConfigMap}\n":                                            true,
		"{apiVersion: v1,\n kind: X, # it's one\n image: a:b, at: http://x/{}\n}\n# end": true,
		`{'apiVersion': 'it''s, {', 'kind': "\"}"}`:                                      true,
		`{a: it's, apiVersion: 'v1', b: "it's", kind: x}`:                                true,
		"\n# first\n{apiVersion: v1, kind: X}":                                           false, // as it was: it begins with a remark
		`{"items": [{"apiVersion": "v1", "kind": "X"}]}`:                                 false,
		`{"a": "apiVersion", "b": {"apiVersion": "v1"}, "kind": "X"}`:                    false,
		`{"apiVersion": "kind"}`:                                                         false,
		`{"a": ["apiVersion", "kind"]}`:                                                  false,
		`{apiVersion:v1, kind: X}`:                                                       false, // a colon without a blank is a letter
		"{{- if .x }}\napiVersion: v1\nkind: X\n{{- end }}\n":                            true,  // a template, judged by its lines
		"{\n\"apiVersion\": \"v1\",\n\"kind\": \"List\", \"items\": [{":                  true,  // cut off
	} {
		if got := IsManifest(text); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// Deciding what a file is costs as much as reading it: a repository may have
// thousands of files of data.
func TestAFileOfDataIsNotParsed(t *testing.T) {
	text := `{"a": ["apiVersion", "kind"` + strings.Repeat(`,[1]`, 15<<10) + "]}"
	allocated := testing.AllocsPerRun(1, func() {
		if IsManifest(text) {
			t.Error("taken for a manifest")
		}
	})
	if allocated > 10 {
		t.Errorf("%v allocations for one file", allocated)
	}
}

// Of what is JSON, both say the same.
func FuzzFlowKey(f *testing.F) {
	f.Add(`{"apiVersion": "v1", "kind": [1, "b", {"kind": {}}]}`)
	f.Add("{\"a\": \"it's, {\", \" kind \": \"#\"}")
	f.Add("{a: it's, 'b': \"\\\"\", #\n kind: {}}")
	f.Fuzz(func(t *testing.T, text string) {
		found, whole := flowKey(text, "kind")
		var object map[string]any
		if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &object) != nil || strings.Contains(text, `\`) {
			return
		}
		if _, there := object["kind"]; !whole || found != there {
			t.Errorf("found %t, whole %t: %q", found, whole, text)
		}
	})
}
