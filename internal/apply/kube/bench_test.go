package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/kubetest"
	"syncd.io/syncd/internal/resource"
)

// four is an app of four objects, whose Deployment asks for no pod.
const four = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, namespace: default}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: default}
spec: {selector: {app: NAME}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: NAME, namespace: default}
spec: {rules: [{host: NAME.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {number: 80}}}}]}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: default}
spec:
  replicas: 0
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {serviceAccountName: NAME, containers: [{name: app, image: "syncd-test/app:1"}]}`

func fourOf(b *testing.B, name string) []resource.Object {
	b.Helper()
	var out []resource.Object
	for _, doc := range strings.Split(strings.ReplaceAll(four, "NAME", name), "\n---\n") {
		var tree map[string]any
		if err := yaml.Unmarshal([]byte(doc), &tree); err != nil {
			b.Fatal(err)
		}
		spec, err := resource.Canonical(tree)
		if err != nil {
			b.Fatal(err)
		}
		o := resource.Object{Key: resource.Key{Kind: tree["kind"].(string), Namespace: "default", Name: name}, Spec: spec, Group: "0.1 config"}
		switch o.Key.Kind {
		case "Deployment":
			o.Group = "0.2 workloads"
		case "Ingress":
			o.Group = "0.3 rest"
		}
		out = append(out, o)
	}
	return tiered(out)
}

// fleet are many apps on one engine.
type fleet struct {
	*testing.B
	engine   *Engine
	requests atomic.Int64
	mu       sync.Mutex
	paths    map[string]int
	// notes are what each pass has left to be remembered, recorded what a new process has
	// of them.
	notes, recorded map[string]json.RawMessage
}

func newFleet(b *testing.B, c *kubetest.Access) *fleet {
	b.Helper()
	f := &fleet{B: b, paths: map[string]int{}, notes: map[string]json.RawMessage{}}
	f.open(c)
	b.Cleanup(func() { _ = f.engine.Close() })
	return f
}

func (f *fleet) open(c *kubetest.Access) {
	f.Helper()
	cfg, err := Config(c.Kubeconfig(), "", "bench")
	if err != nil {
		f.Fatal(err)
	}
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper { return tally{next, f} })
	if f.engine, err = open(f.Context(), cfg, Options{Agent: "bench"}); err != nil {
		f.Fatal(err)
	}
}

type tally struct {
	next  http.RoundTripper
	fleet *fleet
}

func (t tally) RoundTrip(r *http.Request) (*http.Response, error) {
	t.fleet.requests.Add(1)
	t.fleet.mu.Lock()
	what := r.Method
	if r.URL.Query().Get("watch") != "" {
		what = "WATCH"
	}
	if r.URL.Query().Get("dryRun") != "" {
		what = "DRY"
	}
	t.fleet.paths[what]++
	t.fleet.mu.Unlock()
	return t.next.RoundTrip(r)
}

// restart is what a new process sees: an engine, and what is on record of the apps.
func (f *fleet) restart(c *kubetest.Access) {
	f.Helper()
	if err := f.engine.Close(); err != nil {
		f.Fatal(err)
	}
	f.open(c)
	f.recorded = f.notes
}

// pass runs one pass of every app, eight at once.
func (f *fleet) pass(apps int, edit func(string) string) {
	f.Helper()
	var group errgroup.Group
	group.SetLimit(8)
	for i := range apps {
		group.Go(func() error {
			name := fmt.Sprintf("app-%04d", i)
			set := fourOf(f.B, name)
			for j := range set {
				set[j].Spec = []byte(edit(string(set[j].Spec)))
			}
			target := f.engine.Target(name)
			defer f.keep(name, target)
			pairs, err := target.Observe(f.Context(), set, apply.Owned{App: name, Notes: f.recorded[name]})
			if err != nil {
				return err
			}
			plan, err := apply.NewPlan(apply.Request{Pairs: pairs, Report: drift.Compare(pairs, drift.Options{}), AwaitAll: true, Prune: true})
			if err != nil {
				return err
			}
			if plan.Empty() {
				return nil
			}
			if out := (&apply.Rollout{Target: target, Stable: time.Millisecond}).Run(f.Context(), plan); !out.OK() {
				return fmt.Errorf("%s: %+v", name, out)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		f.Fatal(err)
	}
}

func (f *fleet) keep(name string, t *Target) {
	notes := t.Notes()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes[name] = notes
}

// bare applies the objects and does nothing else: what the API server itself needs.
func (f *fleet) bare(apps int) time.Duration {
	f.Helper()
	var all []resource.Object
	for i := range apps {
		all = append(all, fourOf(f.B, fmt.Sprintf("bare-%04d", i))...)
	}
	target := f.engine.Target("bare")
	id, err := target.identity()
	if err != nil {
		f.Fatal(err)
	}
	begun := time.Now()
	var group errgroup.Group
	group.SetLimit(8)
	for _, o := range all {
		group.Go(func() error {
			w, err := target.wanted(f.Context(), o)
			if err != nil {
				return err
			}
			_, err = id.apply(f.Context(), w, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		f.Fatal(err)
	}
	return time.Since(begun)
}

func (f *fleet) measured(what string, do func()) time.Duration {
	f.Helper()
	before := f.requests.Load()
	clear(f.paths)
	begun := time.Now()
	do()
	took := time.Since(begun)
	f.Logf("%s: %s, %d requests %v", what, took.Round(time.Millisecond), f.requests.Load()-before, f.paths)
	f.ReportMetric(float64(f.requests.Load()-before), what+"-requests")
	f.ReportMetric(took.Seconds(), what+"-s")
	return took
}

func BenchmarkFleetOfApps(b *testing.B) {
	c := kubetest.Start(b, kubetest.Options{})
	f := newFleet(b, c.Access)
	apps := 100
	if n, err := strconv.Atoi(os.Getenv("SYNCD_BENCH_APPS")); err == nil {
		apps = n
	}
	same := func(s string) string { return s }
	for b.Loop() {
		bare := f.bare(apps)
		b.ReportMetric(bare.Seconds(), "bare-s")
		install := f.measured("install", func() { f.pass(apps, same) })
		b.ReportMetric(install.Seconds()/bare.Seconds(), "install/bare")
		f.measured("noop", func() { f.pass(apps, same) })
		f.measured("change", func() { f.pass(apps, func(s string) string { return strings.ReplaceAll(s, "app:1", "app:2") }) })
		f.measured("noop2", func() { f.pass(apps, func(s string) string { return strings.ReplaceAll(s, "app:1", "app:2") }) })
		f.restart(c.Access)
		f.measured("restart", func() { f.pass(apps, func(s string) string { return strings.ReplaceAll(s, "app:1", "app:2") }) })
	}
}
