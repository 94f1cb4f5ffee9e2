package docker

import (
	"maps"
	"slices"
)

// without returns the entries of m that base does not have with the same value;
// nil where none is left.
func without(m, base map[string]string) map[string]string {
	var out map[string]string
	for k, v := range m {
		if b, ok := base[k]; ok && b == v {
			continue
		}
		if out == nil {
			out = make(map[string]string, len(m))
		}
		out[k] = v
	}
	return out
}

// unless returns v, or zero where it is what base says anyway.
func unless[T comparable](v, base T) T {
	var zero T
	if v == base {
		return zero
	}
	return v
}

// unlessList returns list, nil where it is what base says anyway, and an empty
// list, which is not nil, where list is empty and base is not.
func unlessList(list, base []string) []string {
	if slices.Equal(list, base) {
		return nil
	}
	if list == nil {
		return []string{}
	}
	return list
}

// sorted returns a sorted copy without doubles; nil where list is empty.
func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// unempty returns a copy of m, nil where it is empty.
func unempty(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return maps.Clone(m)
}

// filled returns list, nil where it is empty.
func filled[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}
