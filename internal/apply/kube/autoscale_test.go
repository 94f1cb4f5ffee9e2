package kube

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/resource"
)

// scalers is a way to an API server that serves HorizontalPodAutoscalers in a version,
// or in none where that is empty.
type scalers struct {
	version string

	mu    sync.Mutex // guards what follows
	of    []string   // the Deployments that they scale
	lists int
	// wait, where it is not nil, is closed when a list that was made may be answered; it
	// is made inside of the test's fake time.
	wait chan struct{}
}

func (s *scalers) RoundTrip(r *http.Request) (*http.Response, error) {
	body, code := `{"groups": []}`, http.StatusOK
	switch path := r.URL.Path; {
	case path == "/api":
		body = `{"versions": []}`
	case path == "/apis" && s.version != "":
		body = fmt.Sprintf(`{"groups": [{"name": "autoscaling", "versions": [{"groupVersion": "autoscaling/%s"}]}]}`, s.version)
	case path == "/apis/autoscaling/"+s.version:
		body = `{"resources": [{"name": "horizontalpodautoscalers", "namespaced": true, "kind": "HorizontalPodAutoscaler", "verbs": ["patch"]}]}`
	case path == "/apis/autoscaling/"+s.version+"/namespaces/shop/horizontalpodautoscalers":
		body = s.list()
	case path != "/apis":
		code = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (s *scalers) list() string {
	s.mu.Lock()
	s.lists++
	var items []string
	for _, name := range s.of {
		items = append(items, fmt.Sprintf(`{"apiVersion": "autoscaling/%s", "kind": "HorizontalPodAutoscaler", "metadata": {"name": %q},
			"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": %q}}}`, s.version, name, name))
	}
	wait := s.wait
	s.mu.Unlock()
	if wait != nil {
		<-wait
	}
	return fmt.Sprintf(`{"apiVersion": "autoscaling/%s", "kind": "HorizontalPodAutoscalerList", "items": [%s]}`, s.version, strings.Join(items, ","))
}

func (s *scalers) make(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = append(s.of, name)
}

// scaling runs a test with an engine that asks this API server.
func scaling(t *testing.T, s *scalers, run func(t *testing.T, scales func(name string, set time.Time) bool, e *Engine)) {
	synctest.Test(t, func(t *testing.T) {
		e, err := open(t.Context(), &rest.Config{Host: "http://api.example.com", Transport: s, QPS: -1}, Options{Agent: "test"})
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.as("")
		if err != nil {
			t.Fatal(err)
		}
		run(t, func(name string, set time.Time) bool {
			out, err := e.autoscales(t.Context(), id, resource.Key{Kind: "Deployment", Namespace: "shop", Name: name}, set)
			if err != nil {
				t.Error(err)
			}
			return out
		}, e)
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An older cluster's autoscalers count as well; where none are served, what was set by
// one stays.
func TestAutoscalersAreFoundInTheVersionThatIsServed(t *testing.T) {
	for version, want := range map[string]map[string]bool{
		"v2": {"web": true, "other": false}, "v1": {"web": true, "other": false}, "": {"web": true, "other": true},
	} {
		scaling(t, &scalers{version: version, of: []string{"web"}}, func(t *testing.T, scales func(string, time.Time) bool, _ *Engine) {
			for name, want := range want {
				if got := scales(name, time.Time{}); got != want {
					t.Errorf("version %q: %s: %t", version, name, got)
				}
			}
		})
	}
}

// That nobody scaled a workload is no answer once somebody has.
func TestANewAutoscalerIsMetAtOnce(t *testing.T) {
	s := &scalers{version: "v2"}
	scaling(t, s, func(t *testing.T, scales func(string, time.Time) bool, _ *Engine) {
		long := time.Now().Add(-time.Hour)
		if scales("web", long) {
			t.Error("nobody scales it yet")
		}
		time.Sleep(5 * time.Second) //nolint:forbidigo // fake time
		s.make("web")
		set := time.Now().Truncate(time.Second)
		if scales("other", long) || s.lists != 1 {
			t.Errorf("%d lists for one whose replicas were set long ago", s.lists)
		}
		if !scales("web", set) || !scales("web", set) || s.lists != 2 {
			t.Errorf("the new autoscaler is not met, or by %d lists", s.lists)
		}
	})
}

// A list from before an autoscaler was put is no answer after that.
func TestAListThatBecameVoidOnItsWayIsNotKept(t *testing.T) {
	s := &scalers{version: "v2"}
	scaling(t, s, func(t *testing.T, scales func(string, time.Time) bool, e *Engine) {
		s.wait = make(chan struct{})
		answer := make(chan bool)
		go func() { answer <- scales("web", time.Time{}) }()
		synctest.Wait()
		s.make("web")
		e.forgetAutoscalers(resource.Key{Kind: "HorizontalPodAutoscaler", Namespace: "shop", Name: "web"})
		close(s.wait)
		if !<-answer || !scales("web", time.Time{}) {
			t.Error("the new autoscaler is not met")
		}
	})
}
