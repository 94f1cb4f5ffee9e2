package compose

import (
	"maps"
	"slices"
	"strings"
)

// entangled rejects circles among the services of a model, and webs of needs
// whose paths are too many for compose-go, which walks each one.
func (a *app) entangled(model map[string]any) error {
	graph := map[string][]string{}
	services := mapAt(model, "services")
	for name := range services {
		service, _ := services[name].(map[string]any)
		graph[name] = slices.Sorted(maps.Keys(mapAt(service, "depends_on")))
	}
	if found := cycle(graph); found != nil {
		return a.reject(found[0], "depends_on", "", "the services need each other in a circle: %s", strings.Join(found, " -> "))
	}
	if name := tooManyPaths(graph); name != "" {
		return a.reject(name, "depends_on", "", "more than %d paths through the needs of the services", maxPaths)
	}
	return nil
}

// cycle returns the members of a circle, the first one twice; nil where there
// is none.
func cycle(graph map[string][]string) []string {
	const open, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(string) []string
	visit = func(name string) []string {
		state[name] = open
		path = append(path, name)
		for _, next := range graph[name] {
			if state[next] == open {
				return append(slices.Clone(path[slices.Index(path, next):]), next)
			}
			if state[next] != done {
				if found := visit(next); found != nil {
					return found
				}
			}
		}
		path = path[:len(path)-1]
		state[name] = done
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(graph)) {
		if state[name] == 0 {
			if found := visit(name); found != nil {
				return found
			}
		}
	}
	return nil
}

// tooManyPaths counts the paths of a graph without circles, and returns the
// name at which they become more than maxPaths.
func tooManyPaths(graph map[string][]string) string {
	paths, total := map[string]int{}, 0
	var count func(string) int
	count = func(name string) int {
		if n, ok := paths[name]; ok {
			return n
		}
		n := 1
		for _, next := range graph[name] {
			n = min(n+count(next), maxPaths+1)
		}
		paths[name] = n
		return n
	}
	for _, name := range slices.Sorted(maps.Keys(graph)) {
		if total += count(name); total > maxPaths {
			return name
		}
	}
	return ""
}
