package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// deploymentAt is a Deployment at a generation and a resource version, of which its
// controller says that.
func deploymentAt(t *testing.T, generation, version int64, says string) *unstructured.Unstructured {
	t.Helper()
	text := fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, generation: %d, resourceVersion: "%d"}
spec: {template: {metadata: {labels: {app: web}}}}
status: {observedGeneration: %d, conditions: [{type: Progressing, status: "True", message: %q}]}`, generation, version, generation, says)
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var u unstructured.Unstructured
	if err := u.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return &u
}

// What a Deployment's controller said before our put is about what was there before.
func TestOnlyWhatIsSaidAfterThePutNamesTheNewest(t *testing.T) {
	const before, after = `ReplicaSet "web-1" has successfully progressed.`, `Created new replica set "web-2"`
	put := (*naming)(nil).put(deploymentAt(t, 3, 10, before))
	for _, c := range []struct {
		name                string
		known               *naming
		generation, version int64
		says, want          string
	}{
		{"nothing new", put, 3, 11, before, ""},
		{"something new", put, 3, 11, after, "web-2"},
		{"it gets on", put, 3, 12, `ReplicaSet "web-2" is progressing.`, "web-2"},
		{"it is late", put, 3, 12, `ReplicaSet "web-2" has timed out progressing.`, "web-2"},
		{"an older sight", put, 3, 9, after, ""},
		{"somebody has changed it since", put, 4, 11, after, ""},
		{"another process has put it", nil, 3, 11, after, ""},
		{"there was but one template", nil, 1, 11, `Found new replica set "web-1"`, "web-1"},
		{"its template was named", put.with(setName{templateOf(deploymentAt(t, 3, 10, "")), "web-0"}), 3, 11, before, "web-0"},
		{"another template was named", put.with(setName{"other", "web-0"}), 3, 11, before, ""},
		{"it names no ReplicaSet", put, 3, 11, `Deployment "web" has successfully progressed.`, ""},
	} {
		object := deploymentAt(t, c.generation, c.version, c.says)
		if got := c.known.nameOf(object, templateOf(object)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTwoTemplatesAreRemembered(t *testing.T) {
	var known *naming
	for _, name := range []string{"a", "b", "b", "c"} {
		known = known.with(setName{"template " + name, name})
	}
	if len(known.sets) != 2 || known.sets[0].name != "b" || known.sets[1].name != "c" {
		t.Errorf("remembered are %v", known.sets)
	}
}

const singleWeb = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: syncd-test/app:1
        imagePullPolicy: Never
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}`

// A change of a Deployment costs its comparison and its put: which pods are new is
// told by what is watched.
func TestAChangeOfADeploymentCostsTwoRequests(t *testing.T) {
	p := newPlace(t)
	p.engine.naming = time.Hour // however slow the machine is
	p.deploy(p.set(singleWeb))
	if n := p.asked("replicasets"); n != 0 {
		t.Errorf("%d lists of ReplicaSets for the first", n)
	}
	p.known(p.set(singleWeb)) // the watch has come to how it feels now
	before := p.asked("*")
	p.deploy(p.set(strings.Replace(singleWeb, "app:1", "app:2", 1)))
	if n := p.asked("*") - before; n > 2 {
		t.Errorf("%d requests", n)
	}
}

// A way back to a ReplicaSet that is there finds its pods by the name that was learnt.
func TestTheWayBackIsToldWithoutALookAtReplicaSets(t *testing.T) {
	p := newPlace(t)
	p.engine.naming = time.Hour
	p.deploy(p.set(singleWeb))
	if out := p.roll(p.set(strings.Replace(singleWeb, "app:1", "app:none", 1))); len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "app:none") {
		t.Fatalf("%+v", out)
	}
	p.deploy(p.set(singleWeb))
	if n := p.asked("replicasets"); n != 0 {
		t.Errorf("%d lists of ReplicaSets", n)
	}
}

// Another process knows neither what was said at the put nor any name: it asks.
func TestAnotherProcessAsksForReplicaSets(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(singleWeb))
	p.deploy(p.set(strings.Replace(singleWeb, "app:1", "app:2", 1)))
	p.restart()
	before := p.asked("replicasets")
	p.deploy(p.set(strings.Replace(singleWeb, "app:1", "app:2", 1)))
	if n := p.asked("replicasets") - before; n != 1 {
		t.Errorf("%d lists of ReplicaSets", n)
	}
}

// Pods that a quota refuses are named as soon as that lasts, at a first deploy too.
func TestAQuotaThatRefusesPodsIsNamed(t *testing.T) {
	p := newPlace(t)
	p.do("POST", "/api/v1/namespaces/"+p.namespace+"/resourcequotas", map[string]any{
		"metadata": map[string]any{"name": "none"}, "spec": map[string]any{"hard": map[string]any{"pods": "0"}},
	}, p.access)
	p.waitFor(func() bool {
		q := p.do("GET", "/api/v1/namespaces/"+p.namespace+"/resourcequotas/none", nil, p.access)
		_, counted, _ := unstructured.NestedMap(q, "status", "hard")
		return counted
	})
	out := p.roll(p.set(singleWeb))
	if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "its pods are refused") || !strings.Contains(out.Failures[0].Reason, "exceeded quota") {
		t.Errorf("%+v", out)
	}
}
