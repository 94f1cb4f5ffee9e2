package docker

import (
	"net/http"
	"slices"
	"strings"

	"github.com/docker/docker/client"
)

// lent lets the client go by web, which stays ours: the client's own cannot be had.
func lent(web *http.Client) client.Opt {
	return func(c *client.Client) error {
		*web = *c.HTTPClient()
		return client.WithHTTPClient(web)(c)
	}
}

// verbOf names a request by the API's words alone, such as "containers list" or
// "containers start": what is a name or an ID in its path is left out.
func verbOf(r *http.Request) string {
	words := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(words) > 1 && strings.HasPrefix(words[0], "v1.") {
		words = words[1:]
	}
	thing, last := words[0], words[len(words)-1]
	if !slices.Contains(things(), thing) {
		return "other"
	}
	return thing + " " + deedOf(r.Method, thing, last, len(words))
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
