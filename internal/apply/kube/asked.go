package kube

import (
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// verbOf names a request by what it asks for, and not by what it is about: get, list,
// watch, apply, dry run, patch, create, update, delete, or discover, for what belongs to
// no object.
func verbOf(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case query.Get("dryRun") != "":
		return "dry run"
	case r.Method == http.MethodPost:
		return "create"
	case r.Method == http.MethodPut:
		return "update"
	case r.Method == http.MethodDelete:
		return "delete"
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == string(types.ApplyPatchType):
		return "apply"
	case r.Method == http.MethodPatch:
		return "patch"
	case query.Get("watch") == "true" || query.Get("watch") == "1":
		return "watch"
	}
	switch words := ofResource(r.URL.Path); len(words) {
	case 0:
		return "discover"
	case 1:
		return "list"
	}
	return "get"
}

// ofResource is what follows group, version and namespace in a path: the resource, the
// object's name, and a part of it. Empty is none of them.
func ofResource(path string) []string {
	words := strings.Split(strings.Trim(path, "/"), "/")
	for i, word := range words { // the server may be below a path of its own
		skip := map[string]int{"api": 2, "apis": 3}[word]
		if skip == 0 {
			continue
		}
		words = words[min(i+skip, len(words)):]
		if len(words) > 2 && words[0] == "namespaces" {
			words = words[2:]
		}
		return words
	}
	return nil
}
