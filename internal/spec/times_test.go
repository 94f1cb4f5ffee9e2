package spec_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/spec"
)

func TestTimesAreAllSpansOfASpec(t *testing.T) {
	var found []string
	var walk func(at string, typ reflect.Type)
	walk = func(at string, typ reflect.Type) {
		switch {
		case typ == reflect.TypeFor[time.Duration]():
			found = append(found, at)
		case typ.Kind() == reflect.Pointer:
			walk(at, typ.Elem())
		case typ.Kind() == reflect.Slice, typ.Kind() == reflect.Map:
			walk(at+"/*", typ.Elem())
		case typ.Kind() == reflect.Struct:
			for i := range typ.NumField() {
				name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
				walk(at+"/"+name, typ.Field(i).Type)
			}
		}
	}
	walk("", reflect.TypeFor[spec.Container]())
	walk("", reflect.TypeFor[spec.Route]())
	slices.Sort(found)
	found = slices.Compact(found) // a container and a route have a drain each
	if want := slices.Sorted(slices.Values(spec.Times())); !slices.Equal(found, want) {
		t.Errorf("the spec has spans of time at %q, listed are %q", found, want)
	}
}
