package health

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// field returns what lies under path; nil where there is nothing, or something
// on the way is not an object.
func field(tree map[string]any, path ...string) any {
	value, found, err := unstructured.NestedFieldNoCopy(tree, path...)
	if !found || err != nil {
		return nil
	}
	return value
}

// text returns the string under path, empty where there is none.
func text(tree map[string]any, path ...string) string {
	s, _ := field(tree, path...).(string)
	return s
}

// truth tells whether true lies under path.
func truth(tree map[string]any, path ...string) bool {
	b, _ := field(tree, path...).(bool)
	return b
}

// number returns the integer under path, or def where there is none.
func number(tree map[string]any, def int64, path ...string) int64 {
	if n, ok := field(tree, path...).(int64); ok {
		return n
	}
	return def
}

// items returns the objects of the list under path.
func items(tree map[string]any, path ...string) []map[string]any {
	list, _ := field(tree, path...).([]any)
	out := make([]map[string]any, 0, len(list))
	for _, each := range list {
		if item, ok := each.(map[string]any); ok {
			out = append(out, item)
		}
	}
	return out
}
