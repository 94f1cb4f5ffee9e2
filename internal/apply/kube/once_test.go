package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/fault"
)

// dead is a way to an API server that has served the core kinds once, and then takes
// every request and answers none.
type dead struct {
	hangs atomic.Bool
	asked atomic.Int64
}

func (d *dead) RoundTrip(r *http.Request) (*http.Response, error) {
	if d.hangs.Load() {
		d.asked.Add(1)
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	body := `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`
	switch r.URL.Path {
	case "/api":
		body = `{"kind":"APIVersions","versions":["v1"]}`
	case "/api/v1":
		body = `{"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"configmaps","namespaced":true,"kind":"ConfigMap","verbs":["patch"]}]}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// While the API server takes requests and answers none, each who waits for the same
// answer goes by the own deadline, and one request is under way for all; who has none
// is told when its time is over.
func TestNobodyWaitsForAnothersRequest(t *testing.T) {
	gone := errors.New("no time any more")
	for name, ask := range map[string]func(*Engine, *identity, context.Context) error{
		"kinds": func(e *Engine, _ *identity, ctx context.Context) error {
			_, err := e.kinds.find(ctx, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"})
			return err
		},
		"names": func(e *Engine, id *identity, ctx context.Context) error {
			k, _ := e.kinds.known(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})
			at := scope{kind: k, namespace: "default"}
			e.surveyed(at).many, e.surveyed(at).until = true, time.Now().Add(time.Hour)
			_, err := e.surveyed(at).listed(ctx, e, at, placeOf(id, at))
			return classified(err, "list names")
		},
		"sets": func(e *Engine, id *identity, ctx context.Context) error {
			l := &lookout{id: id, engine: e, news: newNews()}
			var web unstructured.Unstructured
			web.SetUID("1")
			part := health.Part{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}}
			_, err := l.learnSets(ctx, &web, part)
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			way, e, id := mutely(t)
			time.Sleep(time.Second) //nolint:forbidigo // fake time: kinds are not asked for anew within a moment
			patient := make(chan error, 1)
			begun := time.Now()
			go func() { patient <- ask(e, id, t.Context()) }()
			synctest.Wait()
			for range 3 {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, gone)
				if err := ask(e, id, ctx); !strings.Contains(err.Error(), gone.Error()) {
					t.Errorf("%s: got %v", name, err)
				}
				cancel()
			}
			if took := time.Since(begun); took != 3*time.Second {
				t.Errorf("%s: three of a second's patience took %s", name, took)
			}
			if n := way.asked.Load(); n != 1 {
				t.Errorf("%s: %d requests", name, n)
			}
			if err := <-patient; fault.Of(err) != fault.Unreachable || time.Since(begun) != patience {
				t.Errorf("%s: after %s: %v", name, time.Since(begun), err)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// mutely opens an engine whose API server answers nothing any more.
func mutely(t *testing.T) (*dead, *Engine, *identity) {
	t.Helper()
	way := &dead{}
	e, err := open(t.Context(), &rest.Config{Host: "http://api.example.com", Transport: way, QPS: -1}, Options{Agent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.as("")
	if err != nil {
		t.Fatal(err)
	}
	way.hangs.Store(true)
	return way, e, id
}

// Two lookouts at one object, as of the versions of its kind, both get the answer.
func TestEachLookoutGetsTheReplicaSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := &late{answer: make(chan struct{})}
		e, err := open(t.Context(), &rest.Config{Host: "http://api.example.com", Transport: way, QPS: -1}, Options{Agent: "test"})
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.as("")
		if err != nil {
			t.Fatal(err)
		}
		var web unstructured.Unstructured
		web.SetUID("1")
		got := make(chan int)
		for range 2 {
			go func() {
				sets, err := (&lookout{id: id, engine: e, news: newNews()}).learnSets(t.Context(), &web, health.Part{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}})
				if err != nil {
					t.Error(err)
				}
				got <- len(sets)
			}()
		}
		synctest.Wait()
		close(way.answer)
		for range 2 {
			if n := <-got; n != 1 {
				t.Errorf("got %d ReplicaSets", n)
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// late is a dead one that has one ReplicaSet, and takes its time to tell.
type late struct {
	dead
	answer chan struct{}
}

func (s *late) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := s.dead.RoundTrip(r)
	if strings.HasSuffix(r.URL.Path, "/replicasets") {
		<-s.answer
		out.Body = io.NopCloser(strings.NewReader(`{"kind":"ReplicaSetList","apiVersion":"apps/v1","items":[{"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":"web-1"}}]}`))
	}
	return out, err
}

// Whatever is asked, no more is under way at once than there are places for.
func TestNoRequestIsBesideThePlaces(t *testing.T) {
	core := schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}
	for name, ask := range map[string]func(*Engine, *identity, context.Context){
		"sets": func(e *Engine, id *identity, ctx context.Context) {
			part := health.Part{Resource: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}}
			_, _ = (&lookout{id: id, engine: e, news: newNews()}).learnSets(ctx, &unstructured.Unstructured{Object: map[string]any{}}, part)
		},
		"logs": func(e *Engine, id *identity, ctx context.Context) {
			_, _ = e.output(ctx, id, "default", health.Culprit{Pod: "web", Container: "app"}, 10)
		},
		"who is there": func(e *Engine, id *identity, ctx context.Context) {
			k, _ := e.kinds.known(core)
			e.silent(ctx, id, scope{kind: k})
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			way, e, id := mutely(t)
			for range inFlight {
				e.slots <- struct{}{}
			}
			ctx, end := context.WithCancel(t.Context())
			go ask(e, id, ctx)
			time.Sleep(2 * slow) //nolint:forbidigo // fake time
			if n := way.asked.Load(); n != 0 {
				t.Errorf("%s: %d requests beside the places", name, n)
			}
			<-e.slots
			synctest.Wait()
			if n := way.asked.Load(); n != 1 {
				t.Errorf("%s: %d requests", name, n)
			}
			end()
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A request that nobody answers ends by itself, and makes room for the next.
func TestARequestThatIsNotAnsweredEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := &dead{}
		e, err := open(t.Context(), &rest.Config{Host: "http://api.example.com", Transport: way, QPS: -1}, Options{Agent: "test"})
		if err != nil {
			t.Fatal(err)
		}
		way.hangs.Store(true)
		begun, answers := time.Now(), make(chan error)
		for range inFlight + 1 {
			go func() { answers <- e.Ping(t.Context()) }()
		}
		for range inFlight + 1 {
			if err := <-answers; fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "not answered within 1m15s") {
				t.Errorf("got %v", err)
			}
		}
		if took := time.Since(begun); took != 2*answerIn {
			t.Errorf("it took %s", took)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}
