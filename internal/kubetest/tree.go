package kubetest

// field returns what is below a path of fields, or nil.
func field(tree map[string]any, path ...string) any {
	var found any = tree
	for _, name := range path {
		fields, _ := found.(map[string]any)
		found = fields[name]
	}
	return found
}

// list returns the objects of the list below a path of fields.
func list(tree map[string]any, path ...string) []map[string]any {
	var objects []map[string]any
	items, _ := field(tree, path...).([]any)
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			objects = append(objects, fields)
		}
	}
	return objects
}
