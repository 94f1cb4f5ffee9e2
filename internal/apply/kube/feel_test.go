package kube

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/resource"
)

// mute is a way to the API server on which watches of whole objects show nothing, as
// those of an API server that has just come back.
type mute struct{ next http.RoundTripper }

func (m mute) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Get("watch") == "" || strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadata") {
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

// What is awaited is shown by a watch of all of it: who looks at it meanwhile, as at
// what has just become well, does not ask for it.
func TestWhatIsLookedAtIsNotAskedFor(t *testing.T) {
	p := newPlace(t)
	set := p.set(strings.Split(strings.Replace(shop, "replicas: 2", "replicas: 0", 1), "\n---\n")[1])
	p.deploy(set)
	deployments := p.admin.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace(p.namespace)
	live, err := deployments.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"metadata":{"annotations":{"seen":"yes"}}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.target.identity()
	if err != nil {
		t.Fatal(err)
	}
	w, err := p.target.wanted(t.Context(), set[0])
	if err != nil {
		t.Fatal(err)
	}
	known, _ := p.target.ledger.get(set[0].Key)
	p.waitFor(func() bool {
		if _, err := p.target.Health(t.Context(), set[0].Key, resource.Ref{ID: known.UID}); err != nil { // somebody awaits it
			t.Fatal(err)
		}
		seen, err := p.engine.seen(t.Context(), id, w)
		if err != nil || seen == nil || older(seen, entry{UID: known.UID, version: live.GetResourceVersion()}) {
			return false
		}
		p.target.ledger.change(set[0].Key, func(e *entry) { e.HealthAt = known.HealthAt }) // as an await has seen it before that
		asked := p.asked("deployments/web")
		p.observe(set)
		return p.asked("deployments/web") == asked
	})
	if p.engine.lookedAt(id, w, known, live.GetResourceVersion()+"0") != nil {
		t.Error("a version that is yet to come is shown already")
	}
}
