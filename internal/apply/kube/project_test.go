package kube

import (
	"reflect"
	"testing"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// A list may have several items that are called by their keys: each is found.
func TestProjectFindsEachItemOfAKeyedList(t *testing.T) {
	item := func(name string) map[string]any {
		return map[string]any{"name": name, "value": "of " + name, "theirs": true}
	}
	tree := map[string]any{"env": []any{item("A"), item("B"), item("C"), item("D")}}
	set := fieldpath.NewSet()
	for _, name := range []string{"A", "C", "D"} {
		key := fieldpath.KeyByFields("name", name)
		set.Insert(fieldpath.MakePathOrDie("env", key, "name"))
		set.Insert(fieldpath.MakePathOrDie("env", key, "value"))
	}
	kept := func(name string) map[string]any { return map[string]any{"name": name, "value": "of " + name} }
	want := map[string]any{"env": []any{kept("A"), kept("C"), kept("D")}}
	if got := project(tree, set); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
