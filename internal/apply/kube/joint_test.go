package kube

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/resource"
)

// single counts the watches of single objects, by name.
type single struct {
	next http.RoundTripper
	mu   sync.Mutex
	of   map[string]int
}

func (s *single) RoundTrip(r *http.Request) (*http.Response, error) {
	if name, ok := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name="); ok {
		s.mu.Lock()
		s.of[name]++
		s.mu.Unlock()
	}
	return s.next.RoundTrip(r)
}

// times is how often an object was watched by itself; all with a *.
func (s *single) times(name string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, times := range s.of {
		if of == name || name == "*" {
			n += times
		}
	}
	return n
}

// counted has the place's engine counted so.
func (p *place) counted() *single {
	p.t.Helper()
	cfg, err := Config(p.access.Kubeconfig(), "", "test")
	if err != nil {
		p.t.Fatal(err)
	}
	s := &single{of: map[string]int{}}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { s.next = next; return s })
	engine, err := open(p.t.Context(), cfg, Options{Agent: p.namespace})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = engine.Close() })
	p.engine, p.target = engine, engine.Target("shop")
	return s
}

// empties are Deployments that ask for no pod.
func (p *place) empties(n int) []resource.Object {
	p.t.Helper()
	docs := make([]string, n)
	for i := range docs {
		docs[i] = fmt.Sprintf("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web-%d}\nspec:\n  replicas: 0\n  selector: {matchLabels: {app: web}}\n"+
			"  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: \"syncd-test/app:1\"}]}}", i)
	}
	return p.set(strings.Join(docs, "\n---\n"))
}

// puts has an object put, and returns how it feels from then on.
func (p *place) puts(o resource.Object) func() resource.Health {
	p.t.Helper()
	p.observe([]resource.Object{o})
	ref, err := p.target.Put(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	return func() resource.Health {
		h, err := p.target.Health(p.t.Context(), o.Key, ref)
		if err != nil {
			p.t.Fatal(err)
		}
		return h
	}
}

func TestWhatIsPutTogetherIsWatchedTogether(t *testing.T) {
	p := newPlace(t)
	watched := p.counted()
	p.deploy(p.empties(8))
	if n := watched.times("*"); n > 0 {
		t.Errorf("%d of 8 were watched by themselves", n)
	}
}

func TestWhereTheJointWatchEndsEachIsWatchedByItself(t *testing.T) {
	p := newPlace(t)
	watched := p.counted()
	feels := p.puts(p.empties(1)[0])
	p.engine.mu.Lock()
	for _, j := range p.engine.joints {
		j.end()
	}
	p.engine.mu.Unlock()
	p.waitFor(func() bool { return watched.times("web-0") == 1 })
	p.waitFor(func() bool { return feels().State == resource.Well })
}

// A put that changes nothing makes no news for a watch that began before it.
func TestWhatWasThereBeforeTheJointWatchIsWatchedByItself(t *testing.T) {
	p := newPlace(t)
	web := p.empties(1)[0]
	p.deploy([]resource.Object{web})
	watched := p.counted() // as after a restart
	for _, o := range []resource.Object{p.empties(2)[1], web} {
		feels := p.puts(o)
		p.waitFor(func() bool { return feels().State == resource.Well })
	}
	if watched.times("web-0") != 1 || watched.times("web-1") > 0 {
		t.Errorf("watched were %v", watched.of)
	}
}

func TestWhatLeavesTheJointWatchIsLookedFor(t *testing.T) {
	p := newPlace(t)
	watched := p.counted()
	set := p.empties(2)
	feels := []func() resource.Health{p.puts(set[0]), p.puts(set[1])}
	deployments := p.admin.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace(p.namespace)
	if err := deployments.Delete(t.Context(), "web-0", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	unlabel := []byte(`{"metadata":{"labels":{"` + LabelAgent + `":null}}}`)
	if _, err := deployments.Patch(t.Context(), "web-1", types.MergePatchType, unlabel, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	p.waitFor(func() bool { return feels[0]().State == resource.Absent })
	p.waitFor(func() bool { return watched.times("web-1") == 1 })
	p.waitFor(func() bool { return feels[1]().State == resource.Well })
}
