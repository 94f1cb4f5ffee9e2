package kubetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// limit is how long anything here may take.
const limit = 2 * time.Minute

// eventually polls until it holds.
func eventually(t testing.TB, what string, holds func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := await(ctx, holds); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// create posts an object, which JSON text describes, to a collection.
func create(t testing.TB, a *Access, collection, text string) map[string]any {
	t.Helper()
	made, err := a.Do(t.Context(), http.MethodPost, collection, json.RawMessage(text))
	if err != nil {
		t.Fatalf("create in %s: %v", collection, err)
	}
	return made
}

// refused returns the code of the server's refusal, or 0.
func refused(err error) int {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return 0
}

// asRoot skips a test that needs a node of its own where there cannot be one. The
// shared cluster, which fails where it is missing, is tested all the same.
func asRoot(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a node needs root")
	}
}

// in returns the path of a resource, or of an object of one, in a namespace.
func in(namespace, resource string) string {
	group := "/api/v1"
	switch strings.SplitN(resource, "/", 2)[0] {
	case "deployments":
		group = "/apis/apps/v1"
	case "jobs":
		group = "/apis/batch/v1"
	}
	return fmt.Sprintf("%s/namespaces/%s/%s", group, namespace, resource)
}

// as sends a request as the user whose kubeconfig that is.
func as(t testing.TB, kubeconfig, path string) error {
	t.Helper()
	user, err := openKubeconfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	defer user.client.CloseIdleConnections()
	_, err = user.Do(t.Context(), http.MethodGet, path, nil)
	return err
}

func jsonOf(text string) json.RawMessage { return json.RawMessage(text) }

// fetch returns what a web server answers.
func fetch(t testing.TB, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
