package kube

import (
	"fmt"
	"reflect"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// project returns what of a tree a set of fields names, in the tree's own order.
// What a set names as a whole (a list that is replaced at once) is returned as a
// whole.
func project(tree any, set *fieldpath.Set) any {
	switch t := tree.(type) {
	case map[string]any:
		return projectMap(t, set)
	case []any:
		return projectList(t, set)
	}
	return tree
}

func projectMap(tree map[string]any, set *fieldpath.Set) any {
	out := map[string]any{}
	for name, inner := range tree {
		element := fieldpath.PathElement{FieldName: &name}
		if below, ok := set.Children.Get(element); ok {
			out[name] = project(inner, below)
		} else if set.Members.Has(element) {
			out[name] = inner
		}
	}
	return out
}

func projectList(tree []any, set *fieldpath.Set) any {
	out := []any{}
	for i, inner := range tree {
		element, below := elementOf(i, inner, set)
		switch {
		case below != nil:
			out = append(out, project(inner, below))
		case element:
			out = append(out, inner)
		}
	}
	return out
}

// elementOf finds what the set says of one element of a list: it is called by its
// keys, by its value, or by its place.
func elementOf(index int, item any, set *fieldpath.Set) (member bool, below *fieldpath.Set) {
	for e := range set.Members.All() {
		member = member || names(e, index, item)
	}
	set.Children.Iterate(func(e fieldpath.PathElement) { // its All panics where a loop ends early
		if below == nil && names(e, index, item) {
			below = set.Children.Descend(e)
		}
	})
	return member, below
}

// names tells whether a path element means this element of a list.
func names(e fieldpath.PathElement, index int, item any) bool {
	switch {
	case e.Key != nil:
		fields, ok := item.(map[string]any)
		return ok && hasKeys(fields, *e.Key)
	case e.Value != nil:
		return same((*e.Value).Unstructured(), item)
	default:
		return e.Index != nil && *e.Index == index
	}
}

// hasKeys tells whether an item is the one that keys name. The API server fills a
// key in that has a default (a port's protocol): one that is absent is no other.
func hasKeys(item map[string]any, keys value.FieldList) bool {
	for _, k := range keys {
		if got, there := item[k.Name]; there && !same(k.Value.Unstructured(), got) {
			return false
		}
	}
	return true
}

// same compares two values of JSON, whose numbers may have come as different types.
func same(a, b any) bool {
	return reflect.DeepEqual(a, b) || fmt.Sprint(a) == fmt.Sprint(b)
}
