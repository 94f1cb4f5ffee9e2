package kube

import (
	"net/http"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Asked is one request to the API server, and what came of it.
type Asked struct {
	// Verb is get, list, watch, apply, dry run, patch, create, update, delete, or
	// discover, for what belongs to no object.
	Verb string
	// Outcome is ok, refused (4xx), failed (5xx), unreachable, or canceled where nobody
	// waits for the answer any more.
	Outcome string
	// Took is the time to the head of the answer.
	Took time.Duration
}

// clocked tells of each request.
type clocked struct {
	http.RoundTripper
	tell func(Asked)
}

// RoundTrip implements http.RoundTripper.
func (c clocked) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := time.Now()
	res, err := c.RoundTripper.RoundTrip(r)
	c.tell(Asked{Verb: verbOf(r), Outcome: outcomeOf(r, res, err), Took: time.Since(begun)})
	return res, err
}

// WrappedRoundTripper lets client-go find what is below.
func (c clocked) WrappedRoundTripper() http.RoundTripper { return c.RoundTripper }

func outcomeOf(r *http.Request, res *http.Response, err error) string {
	switch {
	case err != nil && r.Context().Err() != nil:
		return "canceled"
	case err != nil:
		return "unreachable"
	case res.StatusCode >= http.StatusInternalServerError:
		return "failed"
	case res.StatusCode >= http.StatusBadRequest:
		return "refused"
	}
	return "ok"
}

// verbOf names a request by what it asks for, and not by what it is about.
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
