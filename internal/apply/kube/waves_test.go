package kube

import (
	"context"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

// definition is a CRD of a group of this place's own, and an object of its kind.
func (p *place) definition() string {
	group := p.namespace + ".example.com"
	p.t.Cleanup(func() {
		gvr := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
		_ = p.admin.Resource(gvr).Delete(context.WithoutCancel(p.t.Context()), "toys."+group, metav1.DeleteOptions{})
	})
	return strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Toy, plural: toys, singular: toy, listKind: ToyList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {colour: {type: string}}}}
---
apiVersion: GROUP/v1
kind: Toy
metadata: {name: bear}
spec: {colour: brown}`, "GROUP", group)
}

func TestADefinitionAndItsObjectInOneCommit(t *testing.T) {
	p := newPlace(t)
	text := p.definition()
	pairs, _ := p.observe(p.set(text))
	if pairs[1].Deferred == "" {
		t.Errorf("the object is not deferred: %+v", pairs[1])
	}
	p.deploy(p.set(text))
	p.until(text, drift.Report.InSync)
	p.deploy(p.set(strings.Replace(text, "brown", "white", 1)))
}

// A definition that goes, or is renewed, between the look and the put is no fault of the
// revision: the next pass finds what there is then.
func TestAKindThatIsNotServedAtThePutBlamesNoRevision(t *testing.T) {
	p := newPlace(t)
	set := p.set(p.definition())
	p.deploy(set)
	definitions := p.admin.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if err := definitions.Delete(t.Context(), set[0].Key.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	p.waitFor(func() bool {
		_, err := p.target.Put(t.Context(), set[1])
		going := err != nil && strings.Contains(err.Error(), "is terminating")
		if class := fault.Of(err); going && class != fault.Blocked || err != nil && !going && class != fault.Unreachable {
			t.Fatalf("%s: %v", class, err)
		}
		return err != nil && !going
	})
}

// What tells which kinds are served is a little behind a definition that is established.
func TestAKindThatIsToldOfLateIsWaitedFor(t *testing.T) {
	p := newPlace(t)
	set := p.set(p.definition())
	done := make(chan error, 1)
	go func() {
		_, err := p.target.Put(t.Context(), set[1])
		done <- err
	}()
	p.waitFor(func() bool { // it has been asked for
		p.engine.kinds.mu.Lock()
		defer p.engine.kinds.mu.Unlock()
		return !p.engine.kinds.asked.IsZero()
	})
	p.do("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", tree(t, set[0]), p.access)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAJobRunsOnceAndAgainWhenItChanges(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(oneJob))
	if plan := p.plan(p.set(oneJob)); !plan.Empty() {
		t.Errorf("a job that is done: %s", plan)
	}
	changed := strings.Replace(oneJob, "app:1", "app:2", 1)
	if plan := p.plan(p.set(changed)); !strings.Contains(plan.String(), "remove Job") || strings.Contains(plan.String(), "metadata.name") {
		t.Errorf("a job that changed, and not its name: %s", plan)
	}
	p.deploy(p.set(changed))
	failing := strings.Replace(oneJob, `"0"]`, `"3"]`, 1)
	out := p.roll(p.set(failing))
	if len(out.Failures) != 1 || out.Failures[0].Class != fault.Unhealthy {
		t.Errorf("a failing job: %+v", out)
	}
}

func TestAJobThatItsTTLRemovesAtOnceHasRun(t *testing.T) {
	p := newPlace(t)
	brief := strings.Replace(oneJob, "backoffLimit: 0", "backoffLimit: 0\n  ttlSecondsAfterFinished: 0", 1)
	p.deploy(p.set(brief))
	p.until(brief, drift.Report.InSync)
	failing := strings.Replace(brief, `"0"]`, `"3"]`, 1)
	if out := p.roll(p.set(failing)); len(out.Failures) != 1 || strings.Contains(out.Failures[0].Reason, "disappeared") {
		t.Errorf("a failing one: %+v", out)
	}
}

const scaled = shop + `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 3
  maxReplicas: 5`

func TestAnAutoscalerKeepsItsReplicas(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(scaled))
	// The autoscaler raises to its minimum, by the scale subresource.
	p.until(scaled, func(drift.Report) bool { return p.replicas("web") == 3 })
	p.until(scaled, drift.Report.InSync)
	p.deploy(p.set(strings.Replace(scaled, "app:1", "app:2", 1)))
	if n := p.replicas("web"); n != 3 {
		t.Errorf("%d replicas after the change, want the autoscaler's 3", n)
	}
}

// What an autoscaler has set last is nobody's wish any more once the autoscaler is
// gone: what Git says is.
func TestReplicasAreOursAgainWhenTheAutoscalerIsGone(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(scaled))
	p.until(scaled, func(drift.Report) bool { return p.replicas("web") == 3 })
	p.until(scaled, drift.Report.InSync)
	p.deploy(p.set(shop)) // prunes the autoscaler
	if report := p.until(shop, func(r drift.Report) bool { return !r.InSync() }); !strings.Contains(report.String(), "spec.replicas: 3 -> 2") {
		t.Fatalf("the report: %s", report)
	}
	p.deploy(p.set(shop))
	if n := p.replicas("web"); n != 2 {
		t.Errorf("%d replicas, want Git's 2", n)
	}
	p.until(shop, drift.Report.InSync)
}

// An autoscaler that is none of the app's keeps what it has set.
func TestAnAutoscalerOfOthersKeepsItsReplicas(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(shop))
	p.do("POST", "/apis/autoscaling/v2/namespaces/"+p.namespace+"/horizontalpodautoscalers", map[string]any{
		"metadata": map[string]any{"name": "web"}, "spec": map[string]any{
			"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 3, "maxReplicas": 5,
		},
	}, p.access)
	p.until(shop, func(drift.Report) bool { return p.replicas("web") == 3 })
	p.until(shop, drift.Report.InSync)
	p.deploy(p.set(strings.Replace(shop, "app:1", "app:2", 1)))
	if n := p.replicas("web"); n != 3 {
		t.Errorf("%d replicas after the change, want the autoscaler's 3", n)
	}
}

func (p *place) replicas(name string) int64 {
	p.t.Helper()
	live, err := p.admin.Resource(deployments).Namespace(p.namespace).Get(p.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	spec := live.Object["spec"].(map[string]any)
	n, _ := spec["replicas"].(int64)
	return n
}

func TestAFinalizerThatNeverEndsIsNamed(t *testing.T) {
	p := newPlace(t)
	held := strings.Replace(plain, "labels: {team: shop}", "finalizers: [example.com/never]", 1)
	p.deploy(p.set(held))
	p.engine.leaving = 300 * time.Millisecond
	defer func() { p.edit(configMaps, "settings", `{"metadata":{"finalizers":null}}`) }()
	set := p.set(held)
	ref := p.pairOf(set[0]).Live[0].Ref
	err := p.target.Remove(t.Context(), set[0].Key, ref)
	if fault.Of(err) != fault.Unhealthy || !strings.Contains(err.Error(), "example.com/never") {
		t.Errorf("got %v", err)
	}
}

// tree is an object's manifest.
func tree(t *testing.T, o resource.Object) map[string]any {
	t.Helper()
	u, err := decoded(o)
	if err != nil {
		t.Fatal(err)
	}
	return u.Object
}
