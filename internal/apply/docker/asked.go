package docker

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/client"
)

// Asked is one request to the engine, and what came of it.
type Asked struct {
	// Verb is what was asked, such as "containers list" or "containers start"; it names
	// nothing that runs.
	Verb string
	// Outcome is ok, refused (4xx), failed (5xx), unreachable, or canceled where nobody
	// waits for the answer any more.
	Outcome string
	// Took is the time to the head of the answer.
	Took time.Duration
}

// lent lets the client go by web, which stays ours: the client's own cannot be had.
func lent(web *http.Client) client.Opt {
	return func(c *client.Client) error {
		*web = *c.HTTPClient()
		return client.WithHTTPClient(web)(c)
	}
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
	c.tell(Asked{Verb: verbOf(r.Method, r.URL.Path), Outcome: outcomeOf(r, res, err), Took: time.Since(begun)})
	return res, err
}

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

// verbOf names a request by the API's words alone: what is a name or an ID in its path
// is left out.
func verbOf(method, path string) string {
	words := strings.Split(strings.Trim(path, "/"), "/")
	if len(words) > 1 && strings.HasPrefix(words[0], "v1.") {
		words = words[1:]
	}
	thing, last := words[0], words[len(words)-1]
	if !slices.Contains(things(), thing) {
		return "other"
	}
	return thing + " " + deedOf(method, thing, last, len(words))
}

// deedOf is what is done to a thing by a request whose path has so many words.
func deedOf(method, thing, last string, words int) string {
	switch {
	case method == http.MethodDelete:
		return "remove"
	case words == 2 && last == "json", words == 1 && method == http.MethodGet && slices.Contains([]string{"networks", "volumes"}, thing):
		return "list"
	case thing == "images" && last == "create":
		return "pull"
	case words == 1 && (method == http.MethodGet || method == http.MethodHead):
		return "ask"
	case words > 1 && slices.Contains(deeds(), last):
		return last
	case method == http.MethodGet || method == http.MethodHead:
		return "inspect"
	}
	return "other"
}

// things and deeds are the words of the engine's API that this adapter uses.
func things() []string {
	return []string{"containers", "images", "networks", "volumes", "exec", "distribution", "_ping", "info", "version", "events", "build"}
}

func deeds() []string {
	return []string{"create", "start", "stop", "kill", "restart", "rename", "update", "wait", "logs", "attach", "exec", "archive", "connect", "disconnect", "load", "tag", "prune"}
}
