package kubetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// Access is how a running cluster is spoken to.
type Access struct {
	dir    string
	url    string
	client *http.Client
}

// URL returns where the API server is, as https://ADDRESS:PORT.
func (a *Access) URL() string { return a.url }

// Kubeconfig returns the path of the administrator's kubeconfig.
func (a *Access) Kubeconfig() string { return filepath.Join(a.dir, "kubeconfig") }

// Logs returns the directory with the logs of the cluster's programs.
func (a *Access) Logs() string { return filepath.Join(a.dir, "log") }

// Client returns an HTTP client that is the administrator.
func (a *Access) Client() *http.Client { return a.client }

// User writes a kubeconfig for a user of that name and those groups into dir and
// returns its path. Its certificate holds for life, or for ever when that is 0; a
// negative life is a credential that has expired. It may do what RBAC gives it:
// at first nothing.
func (a *Access) User(dir, name string, life time.Duration, groups ...string) (string, error) {
	ours, err := readAuthority(filepath.Join(a.dir, "pki"))
	if err != nil {
		return "", err
	}
	who, err := ours.issue(subject{name: name, groups: groups, life: life})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, strings.NewReplacer(":", "-", "/", "-").Replace(name)+".kubeconfig")
	return path, writeKubeconfig(path, a.url, ours.pem, who)
}

// Refusal is an answer of the API server other than success.
type Refusal struct {
	Code    int    // of HTTP
	Message string // what the server says
}

// Error returns the code and the server's message.
func (r *Refusal) Error() string {
	return fmt.Sprintf("the API server answers %d: %s", r.Code, r.Message)
}

// Do sends one request as the administrator and returns the answer. A body other
// than nil is sent as JSON; a PATCH is a server-side apply when the path names a
// fieldManager, else a merge patch. An answer other than 2xx is a *Refusal.
func (a *Access) Do(ctx context.Context, method, path string, body any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write the body for %s: %w", path, err)
	}
	if body == nil {
		text = nil
	}
	content, err := a.exchange(ctx, method, path, text)
	if err != nil {
		return nil, err
	}
	var answer map[string]any
	if err := json.Unmarshal(content, &answer); err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	return answer, nil
}

// Read returns what the API server has at a path, as it is: /metrics, or a log.
func (a *Access) Read(ctx context.Context, path string) ([]byte, error) {
	return a.exchange(ctx, http.MethodGet, path, nil)
}

// exchange sends one request and returns the answer's body.
func (a *Access) exchange(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", contentType(method, path))
	response, err := a.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer to %s %s: %w", method, path, err)
	}
	if response.StatusCode/100 != 2 {
		return nil, &Refusal{Code: response.StatusCode, Message: message(content)}
	}
	return content, nil
}

func contentType(method, path string) string {
	switch {
	case method != http.MethodPatch:
		return "application/json"
	case strings.Contains(path, "fieldManager="):
		return "application/apply-patch+yaml"
	default:
		return "application/merge-patch+json"
	}
}

// message takes the server's words out of a Status, or all there is.
func message(content []byte) string {
	var status struct{ Message string }
	if json.Unmarshal(content, &status) == nil && status.Message != "" {
		return status.Message
	}
	return string(bytes.TrimSpace(content))
}
