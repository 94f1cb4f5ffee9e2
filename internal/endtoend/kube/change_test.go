package kube_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// crontabs defines a kind of its own for each test, for it belongs to the whole
// cluster: GROUP is the test's.
const crontabs = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: CronTab, plural: crontabs, singular: crontab}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [cron], properties: {cron: {type: string}}}`

const nightly = `
apiVersion: GROUP/v1
kind: CronTab
metadata: {name: nightly}
spec: {cron: "0 3 * * *"}`

// ofGroup fills the test's own API group in, and sees that its definition goes with
// the test.
func (p *place) ofGroup(manifests ...string) []string {
	p.t.Helper()
	group := p.namespace + ".example.org"
	p.removeAtEnd("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs." + group)
	var out []string
	for _, m := range manifests {
		out = append(out, strings.ReplaceAll(m, "GROUP", group))
	}
	return out
}

// removeAtEnd deletes an object of the whole cluster when the test ends.
func (p *place) removeAtEnd(path string) {
	p.t.Helper()
	p.t.Cleanup(func() {
		_, err := p.access.Do(context.WithoutCancel(p.t.Context()), http.MethodDelete, path, nil)
		if err != nil && !missing(err) {
			p.t.Errorf("delete %s: %v", path, err)
		}
	})
}

func TestADefinitionAndItsObjectsComeInOneCommitAndGoWithConsent(t *testing.T) {
	p := newPlace(t)
	set := p.ofGroup(nightly, crontabs) // in an order that does not matter
	p.deployed(append(set, settingsMap)...)
	group := p.namespace + ".example.org"
	cron := "/apis/" + group + "/v1/namespaces/" + p.namespace + "/crontabs/nightly"
	if got := field(p.at(cron), "spec", "cron"); got != "0 3 * * *" {
		t.Errorf("the object says %v", got)
	}
	p.settled()

	p.deployed(append(p.ofGroup(strings.Replace(nightly, "0 3", "0 4", 1), crontabs), settingsMap)...)
	if got := field(p.at(cron), "spec", "cron"); got != "0 4 * * *" {
		t.Errorf("the changed object says %v", got)
	}

	p.deploy(settingsMap)
	res := p.wantOutcome(p.sync(), reconcile.Blocked, "CustomResourceDefinition", "crontabs."+group)
	if p.at("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs."+group) == nil {
		t.Fatal("the definition went without consent")
	}
	p.wantOutcome(*p.act("approve", reconcile.ActRequest{Plan: res.Ask}).Result, reconcile.Applied)
	if p.at("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/crontabs."+group) != nil {
		t.Error("the definition is left after consent")
	}
	p.settled()
}

func TestARenamedObjectIsMadeAnewAndTheOldOneGoesLast(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap, web)
	mark := p.mark()
	p.deployed(strings.Replace(settingsMap, "name: settings", "name: options", 1), web)
	if p.live("configmaps", "settings") != nil || p.live("configmaps", "options") == nil {
		t.Error("the renamed object is not there, or the old one is")
	}
	var done []string
	for _, e := range p.since(mark) {
		if e.Step != nil && e.Step.Phase == "done" {
			done = append(done, e.Step.Step.String())
		}
	}
	if story := strings.Join(done, "\n"); strings.Index(story, "remove") < strings.Index(story, "put") {
		t.Errorf("the old one went before the new one came:\n%s", story)
	}
	p.settled()
}

// several are objects that a set can lose.
func several(n int) []string {
	var out []string
	for i := range n {
		out = append(out, strings.Replace(settingsMap, "settings", fmt.Sprintf("part-%d", i), 1))
	}
	return out
}

func (p *place) count(resource string) int {
	p.t.Helper()
	items, _ := p.do(http.MethodGet, p.path(resource, "")+"?labelSelector=syncd.io%2Fapp%3Dshop", nil)["items"].([]any)
	return len(items)
}

func TestPruneStaysInItsBudget(t *testing.T) {
	p := newPlace(t)
	p.deployed(several(9)...)
	p.deployed(several(7)...)
	if n := p.count("configmaps"); n != 7 {
		t.Errorf("%d objects are there, want 7", n)
	}
	for name, left := range map[string][]string{
		"nothing": {"apiVersion: v1\nkind: List\nitems: []"},
		"one":     several(1),
	} {
		p.deploy(left...)
		res := p.sync()
		if res.Outcome == reconcile.Applied || res.Outcome == reconcile.Unchanged {
			t.Errorf("a set that lost all but %s was applied: %s", name, res.Plan)
		}
		t.Logf("all but %s: %s: %s; hint: %s", name, res.Outcome, res.Reason, res.Hint)
		if n := p.count("configmaps"); n != 7 {
			t.Fatalf("all but %s: %d objects are there, want all 7", name, n)
		}
	}
	p.deploy(several(1)...)
	res := p.wantOutcome(p.sync(), reconcile.Blocked, "6 of 7 objects")
	p.wantOutcome(*p.act("approve", reconcile.ActRequest{Plan: res.Ask}).Result, reconcile.Applied)
	if n := p.count("configmaps"); n != 1 {
		t.Errorf("%d objects are there after consent, want 1", n)
	}
	p.settled()
}

const volume = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Mi}}}`

func TestWhatTakesDataWithItGoesWithConsentOnly(t *testing.T) {
	for name, c := range map[string]struct{ manifest, path string }{
		"claim":     {volume, "/api/v1/namespaces/SPACE/persistentvolumeclaims/data"},
		"namespace": {"apiVersion: v1\nkind: Namespace\nmetadata: {name: SPACE-more}", "/api/v1/namespaces/SPACE-more"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			path := strings.ReplaceAll(c.path, "SPACE", p.namespace)
			p.removeAtEnd(path)
			p.settings("rollout: {soak: 0s, timeout: 3s}\n")
			if p.deploy(settingsMap, c.manifest); name == "claim" { // no volume is ever made for it here
				p.do(http.MethodPost, "/api/v1/persistentvolumes", object{
					"metadata": object{"name": p.namespace}, "spec": object{
						"accessModes": []any{"ReadWriteOnce"}, "capacity": object{"storage": "1Mi"}, "storageClassName": "none",
						"hostPath":                      object{"path": "/tmp/" + p.namespace},
						"claimRef":                      object{"namespace": p.namespace, "name": "data"},
						"persistentVolumeReclaimPolicy": "Retain",
					},
				})
				p.removeAtEnd("/api/v1/persistentvolumes/" + p.namespace)
			}
			p.wantOutcome(p.sync(), reconcile.Applied)
			p.deploy(settingsMap)
			res := p.wantOutcome(p.sync(), reconcile.Blocked, "remove ", "with its data", "approve")
			if p.at(path) == nil {
				t.Fatal("it went without consent")
			}
			p.wantOutcome(p.sync(), reconcile.Blocked)
			p.wantOutcome(*p.act("approve", reconcile.ActRequest{Plan: res.Ask}).Result, reconcile.Applied)
			if p.at(path) != nil {
				t.Error("it is left after consent")
			}
			p.settled()
		})
	}
}

const goodJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "syncd-test/app:1", args: [job, "0", "0"]}]`

func TestImmutableFieldsMakeAWorkloadAnew(t *testing.T) {
	t.Run("selector", func(t *testing.T) {
		p := newPlace(t)
		p.deployed(web)
		before := uid(p.live("deployments", "web"))
		p.deployed(strings.ReplaceAll(web, "app: web", "app: site"))
		after := p.live("deployments", "web")
		if uid(after) == before || field(after, "spec", "selector", "matchLabels", "app") != "site" {
			t.Errorf("its selector is %v, its UID %v (before: %v)", field(after, "spec", "selector"), uid(after), before)
		}
		p.settled()
	})
	t.Run("job", func(t *testing.T) {
		p := newPlace(t)
		p.deployed(settingsMap, goodJob)
		before := uid(p.live("jobs", "migrate"))
		p.settled()
		if uid(p.live("jobs", "migrate")) != before {
			t.Error("a job that is done ran again")
		}
		p.deployed(settingsMap, version(goodJob, "2"))
		after := p.live("jobs", "migrate")
		if uid(after) == before || image(after) != "syncd-test/app:2" || field(after, "status", "succeeded") != 1.0 {
			t.Errorf("the changed job is %v with %v", uid(after), image(after))
		}
		p.settled()
	})
}

const database = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: app, image: "syncd-test/app:1"}]`

func TestAStatefulSetIsMadeAnewWithConsentOnly(t *testing.T) {
	p := newPlace(t)
	p.deployed(settingsMap, database)
	before := uid(p.live("statefulsets", "db"))
	p.deploy(settingsMap, strings.Replace(database, "serviceName: db", "serviceName: database", 1))
	res := p.wantOutcome(p.sync(), reconcile.Blocked, "StatefulSet/"+p.namespace+"/db", "serviceName")
	if uid(p.live("statefulsets", "db")) != before {
		t.Fatal("it was made anew without consent")
	}
	ask := res.Ask
	p.wantOutcome(*p.act("approve", reconcile.ActRequest{Plan: ask}).Result, reconcile.Applied)
	if after := p.live("statefulsets", "db"); uid(after) == before || field(after, "spec", "serviceName") != "database" {
		t.Error("it was not made anew after consent")
	}
	p.settled()
}
