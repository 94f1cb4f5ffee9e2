package kube

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/resource"
)

// mute is a way to the API server on which watches of a single object show nothing,
// as those of an API server that has just come back.
type mute struct{ next http.RoundTripper }

func (m mute) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.Query()
	if query.Get("watch") == "" || query.Get("fieldSelector") == "" {
		return m.next.RoundTrip(r)
	}
	return silence(r), nil
}

// silence is an answer that says nothing until the request ends.
func silence(r *http.Request) *http.Response {
	body, end := io.Pipe()
	context.AfterFunc(r.Context(), func() { end.CloseWithError(r.Context().Err()) })
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, Request: r,
	}
}

// A watch that shows nothing does not say that an object is gone: the revision that
// put it would be blamed.
func TestWhatAWatchDoesNotShowIsNotGone(t *testing.T) {
	p := newPlace(t)
	cfg, err := Config(p.access.Kubeconfig(), "", "test")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return mute{next} })
	engine, err := open(t.Context(), cfg, Options{Agent: p.namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	p.target = engine.Target("shop")

	web := p.set(strings.Split(strings.Replace(shop, "replicas: 2", "replicas: 0", 1), "\n---\n")[1])[0]
	p.observe([]resource.Object{web})
	ref, err := p.target.Put(t.Context(), web)
	if err != nil {
		t.Fatal(err)
	}
	p.waitFor(func() bool {
		known, _ := p.target.ledger.get(web.Key)
		return !known.fresh
	})
	state := func() resource.Health {
		h, err := p.target.Health(t.Context(), web.Key, ref)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if h := state(); h.State != resource.Progressing {
		t.Errorf("it is there, and found %s (%s)", h.State, h.Reason)
	}
	deployments := p.admin.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"})
	if err := deployments.Namespace(p.namespace).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.waitFor(func() bool { return state().State == resource.Absent })
}
