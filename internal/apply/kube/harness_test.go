package kube

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/resource"
)

// place is a namespace of its own on the shared cluster, with a target for one app.
type place struct {
	t         *testing.T
	engine    *Engine
	target    *Target
	namespace string
	owned     apply.Owned
	admin     *dynamic.DynamicClient
	done      map[string]bool
	access    *kubetest.Access
	requests  atomic.Int64
	paths     sync.Map // of those besides watches, with how often
}

// newPlace makes a namespace, which goes with the test.
func newPlace(t *testing.T) *place {
	t.Helper()
	t.Parallel()
	access := kubetest.Shared(t)
	return placeOn(t, access)
}

func placeOn(t *testing.T, access *kubetest.Access) *place {
	t.Helper()
	name := fmt.Sprintf("syncdtest-%08x", rand.Uint32())
	p := &place{t: t, access: access, namespace: name, owned: apply.Owned{App: "shop"}, done: map[string]bool{}}
	p.restart()
	t.Cleanup(func() { _ = p.engine.Close() })
	cfg, err := Config(access.Kubeconfig(), "", "test")
	if err != nil {
		t.Fatal(err)
	}
	if p.admin, err = dynamic.NewForConfig(cfg); err != nil {
		t.Fatal(err)
	}
	p.do("POST", "/api/v1/namespaces", map[string]any{"metadata": map[string]any{"name": name}}, access)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if _, err := access.Do(ctx, "DELETE", "/api/v1/namespaces/"+name, nil); err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *place) do(method, path string, body any, access *kubetest.Access) map[string]any {
	p.t.Helper()
	out, err := access.Do(p.t.Context(), method, path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// events are those about an object.
func (p *place) events(uid string) []corev1.Event {
	p.t.Helper()
	var list corev1.EventList
	tree := p.do("GET", "/api/v1/namespaces/"+p.namespace+"/events?fieldSelector=involvedObject.uid%3D"+uid, nil, p.access)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(tree, &list); err != nil {
		p.t.Fatal(err)
	}
	return list.Items
}

// set reads manifests, separated by ---, into wanted objects of this place.
func (p *place) set(text string) []resource.Object {
	p.t.Helper()
	var out []resource.Object
	for _, doc := range strings.Split(text, "\n---\n") {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte(doc), &tree); err != nil {
			p.t.Fatal(err)
		}
		out = append(out, p.object(tree))
	}
	return tiered(out)
}

// tiered lets each tier of the set need the one before it.
func tiered(set []resource.Object) []resource.Object {
	tiers := []string{"0.0 definitions", "0.1 config", "0.2 workloads", "0.3 rest"}
	for i := range set {
		at := slices.Index(tiers, set[i].Group)
		for _, before := range slices.Backward(tiers[:at]) {
			if slices.ContainsFunc(set, func(o resource.Object) bool { return o.Group == before }) {
				condition := resource.Started
				if before == tiers[0] {
					condition = resource.Healthy
				}
				set[i].Needs = []resource.Need{{Group: before, Condition: condition, Required: true, Always: true}}
				break
			}
		}
	}
	return set
}

func (p *place) object(tree map[string]any) resource.Object {
	p.t.Helper()
	meta := tree["metadata"].(map[string]any)
	kind := tree["kind"].(string)
	cluster := kind == "Namespace" || strings.HasPrefix(kind, "Cluster") || kind == "CustomResourceDefinition"
	if !cluster {
		meta["namespace"] = p.namespace
	}
	spec, err := resource.Canonical(tree)
	if err != nil {
		p.t.Fatal(err)
	}
	o := resource.Object{Key: resource.Key{Kind: kind, Name: meta["name"].(string)}, Spec: spec, Group: "0.1 config"}
	if !cluster {
		o.Key.Namespace = p.namespace
	}
	if !resource.BuiltIn(group(tree)) {
		o.Key.Kind, o.Group = kind+"."+group(tree), "0.3 rest"
	}
	switch kind {
	case "HorizontalPodAutoscaler":
		o.Group = "0.3 rest"
	case "CustomResourceDefinition", "Namespace":
		o.Group = "0.0 definitions"
	case "Deployment", "StatefulSet", "Job":
		o.Group = "0.2 workloads"
		o.Once = kind == "Job"
	case "Secret":
		o.Sensitive = []string{"/data", "/stringData"}
	}
	return o
}

func group(tree map[string]any) string {
	g, _, versioned := strings.Cut(tree["apiVersion"].(string), "/")
	if !versioned {
		return ""
	}
	return g
}

// observe looks at the cluster and compares.
func (p *place) observe(want []resource.Object) ([]resource.Pair, drift.Report) {
	p.t.Helper()
	pairs, err := p.target.Observe(p.t.Context(), want, p.owned)
	if err != nil {
		p.t.Fatal(err)
	}
	return pairs, drift.Compare(pairs, drift.Options{Done: p.done})
}

func (p *place) plan(want []resource.Object) apply.Plan {
	p.t.Helper()
	pairs, report := p.observe(want)
	plan, err := apply.NewPlan(apply.Request{Pairs: pairs, Report: report, AwaitAll: true, Prune: true})
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// roll plans and carries out.
func (p *place) roll(want []resource.Object) apply.Outcome {
	p.t.Helper()
	plan := p.plan(want)
	p.t.Logf("plan:\n%s", plan)
	out := (&apply.Rollout{Target: p.target}).Run(p.t.Context(), plan)
	for _, o := range out.Completed {
		p.done[o.Hash()] = true
	}
	return out
}

// deploy is a roll that has to succeed.
func (p *place) deploy(want []resource.Object) {
	p.t.Helper()
	if out := p.roll(want); !out.OK() {
		p.t.Fatalf("rollout: %+v", out)
	}
}

// counter counts requests.
type counter struct {
	next http.RoundTripper
	p    *place
}

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.p.requests.Add(1)
	if r.URL.Query().Get("watch") == "" {
		n, _ := c.p.paths.LoadOrStore(r.URL.Path, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	}
	c.p.t.Logf("%s %s", r.Method, r.URL)
	return c.next.RoundTrip(r)
}

// count counts the requests that the engine makes from now on.
func (p *place) count() func() int64 {
	before := p.requests.Load()
	return func() int64 { return p.requests.Load() - before }
}

// asked is how often something in this place was asked for, besides watches: all of a
// kind, or with a * whatever it is.
func (p *place) asked(resource string) int64 {
	var n int64
	p.paths.Range(func(path, times any) bool {
		if strings.HasSuffix(path.(string), "/namespaces/"+p.namespace+"/"+resource) || resource == "*" && strings.Contains(path.(string), "/namespaces/"+p.namespace+"/") {
			n += times.(*atomic.Int64).Load()
		}
		return true
	})
	return n
}

// restart is what a new process sees: an engine that remembers nothing.
func (p *place) restart() {
	p.t.Helper()
	if p.engine != nil {
		if err := p.engine.Close(); err != nil {
			p.t.Fatal(err)
		}
	}
	cfg, err := Config(p.access.Kubeconfig(), "", "test")
	if err != nil {
		p.t.Fatal(err)
	}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return counter{next, p} })
	if p.engine, err = open(p.t.Context(), cfg, Options{Agent: p.namespace}); err != nil {
		p.t.Fatal(err)
	}
	p.target = p.engine.Target("shop")
}

// account makes a ServiceAccount that may do in this namespace what the rules of a
// Role say.
func (p *place) account(name, rules string) {
	p.t.Helper()
	var allowed []any
	if err := yaml.Unmarshal([]byte(rules), &allowed); err != nil {
		p.t.Fatal(err)
	}
	named, group := map[string]any{"name": name}, "rbac.authorization.k8s.io"
	p.do("POST", "/api/v1/namespaces/"+p.namespace+"/serviceaccounts", map[string]any{"metadata": named}, p.access)
	p.do("POST", "/apis/"+group+"/v1/namespaces/"+p.namespace+"/roles", map[string]any{"metadata": named, "rules": allowed}, p.access)
	p.do("POST", "/apis/"+group+"/v1/namespaces/"+p.namespace+"/rolebindings", map[string]any{
		"metadata": named, "roleRef": map[string]any{"apiGroup": group, "kind": "Role", "name": name},
		"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": p.namespace}},
	}, p.access)
}

// pairOf looks at one object.
func (p *place) pairOf(o resource.Object) resource.Pair {
	p.t.Helper()
	pairs, _ := p.observe([]resource.Object{o})
	for _, pair := range pairs {
		if pair.Key == o.Key {
			return pair
		}
	}
	p.t.Fatalf("no pair for %s", o.Key)
	return resource.Pair{}
}
