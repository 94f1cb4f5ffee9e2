package docker

import (
	"net/http/httptest"
	"testing"
)

func TestRequestsAreNamedByTheWordsOfTheAPIAlone(t *testing.T) {
	const id = "0123456789abcdef"
	for _, c := range []struct{ method, path, want string }{
		{"HEAD", "/_ping", "_ping ask"},
		{"GET", "/v1.41/info", "info ask"},
		{"GET", "/v1.41/events", "events ask"},
		{"GET", "/v1.41/containers/json", "containers list"},
		{"GET", "/v1.41/containers/" + id + "/json", "containers inspect"},
		{"GET", "/v1.41/containers/start", "containers start"}, // there is no such request: a name stands in the middle
		{"POST", "/v1.41/containers/create", "containers create"},
		{"POST", "/v1.41/containers/" + id + "/start", "containers start"},
		{"POST", "/v1.41/containers/" + id + "/exec", "containers exec"},
		{"DELETE", "/v1.41/containers/stop", "containers remove"},
		{"POST", "/v1.41/exec/" + id + "/start", "exec start"},
		{"GET", "/v1.41/exec/" + id + "/json", "exec inspect"},
		{"GET", "/v1.41/images/registry.example.org/shop/web:1/json", "images inspect"},
		{"POST", "/v1.41/images/create", "images pull"},
		{"GET", "/v1.41/networks", "networks list"},
		{"GET", "/v1.41/networks/shop_default", "networks inspect"},
		{"POST", "/v1.41/networks/create", "networks create"},
		{"POST", "/v1.41/networks/shop_default/connect", "networks connect"},
		{"GET", "/v1.41/volumes/data", "volumes inspect"},
		{"GET", "/v1.41/distribution/library/nginx/json", "distribution inspect"},
		{"POST", "/v1.41/swarm/init", "other"},
		{"POST", "/v1.41/containers/" + id + "/dance", "containers other"},
	} {
		if got := verbOf(httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil)); got != c.want {
			t.Errorf("%s %s is %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
