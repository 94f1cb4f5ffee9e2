package kube_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"syncd.io/syncd/internal/kubetest"
)

// patience is how long a test waits for what is to come.
const patience = time.Minute

// Paths below a namespace.
func (p *place) path(resource, name string) string {
	root := "/api/v1"
	switch resource {
	case "deployments", "statefulsets", "daemonsets", "replicasets":
		root = "/apis/apps/v1"
	case "jobs":
		root = "/apis/batch/v1"
	case "roles", "rolebindings":
		root = "/apis/rbac.authorization.k8s.io/v1"
	}
	path := root + "/namespaces/" + p.namespace + "/" + resource
	if name != "" {
		path += "/" + name
	}
	return path
}

// do sends a request as the administrator, in time even when the test is over.
func (p *place) do(method, path string, body any) map[string]any {
	p.t.Helper()
	out, err := p.access.Do(context.WithoutCancel(p.t.Context()), method, path, body)
	p.must(err)
	return out
}

// live returns an object of the namespace; nil where there is none.
func (p *place) live(resource, name string) map[string]any {
	p.t.Helper()
	return p.at(p.path(resource, name))
}

// at returns what a path has; nil where that is nothing.
func (p *place) at(path string) map[string]any {
	p.t.Helper()
	out, err := p.access.Do(context.WithoutCancel(p.t.Context()), http.MethodGet, path, nil)
	if missing(err) {
		return nil
	}
	p.must(err)
	return out
}

func missing(err error) bool {
	var refusal *kubetest.Refusal
	return errors.As(err, &refusal) && refusal.Code == http.StatusNotFound
}

// edit changes an object as a person with kubectl does; a nil value takes a field
// away.
func (p *place) edit(resource, name string, patch map[string]any) {
	p.t.Helper()
	p.by("kubectl-edit", http.MethodPatch, mergePatch, p.path(resource, name), patch)
}

// What a patch may be.
const (
	mergePatch     = "application/merge-patch+json"
	strategicPatch = "application/strategic-merge-patch+json"
	applyPatch     = "application/apply-patch+yaml"
)

// by sends what a client sends that goes by such a name as field manager. Who applies
// insists.
func (p *place) by(manager, method, content, path string, body any) {
	p.t.Helper()
	sent, err := json.Marshal(body)
	p.must(err)
	path += "?fieldManager=" + manager
	if content == applyPatch {
		path += "&force=true"
	}
	request, err := http.NewRequestWithContext(context.WithoutCancel(p.t.Context()), method, p.access.URL()+path, bytes.NewReader(sent))
	p.must(err)
	request.Header.Set("Content-Type", content)
	answer, err := p.access.Client().Do(request)
	p.must(err)
	said, err := io.ReadAll(answer.Body)
	p.must(errors.Join(err, answer.Body.Close()))
	if answer.StatusCode >= http.StatusMultipleChoices {
		p.t.Fatalf("%s %s: %s", manager, path, said)
	}
}

// field is a value deep in an object; nil where there is none.
func field(o map[string]any, path ...string) any {
	var at any = o
	for _, name := range path {
		m, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = m[name]
	}
	return at
}

func uid(o map[string]any) any { return field(o, "metadata", "uid") }

// image is that of a workload's first container.
func image(o map[string]any) any {
	list, ok := field(o, "spec", "template", "spec", "containers").([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	return list[0].(map[string]any)["image"]
}

// eventually waits until something is so.
func (p *place) eventually(what string, is func() bool) time.Duration {
	p.t.Helper()
	begun := time.Now()
	for pause := 5 * time.Millisecond; !is(); pause = min(2*pause, 100*time.Millisecond) {
		if time.Since(begun) > patience {
			p.t.Fatalf("it does not come true that %s\n%s", what, p.story())
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-p.t.Context().Done():
			p.t.Fatal(what, p.t.Context().Err())
		}
	}
	return time.Since(begun)
}

// object is a body to be made by the administrator.
type object = map[string]any

// make makes an object of somebody else's in the namespace.
func (p *place) make(resource string, body object) map[string]any {
	p.t.Helper()
	return p.do(http.MethodPost, p.path(resource, "")+"?fieldManager=kubectl-create", body)
}
