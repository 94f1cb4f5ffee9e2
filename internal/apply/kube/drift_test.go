package kube

import (
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	secretsGVR  = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
)

// edit changes an object as a person with kubectl does.
func (p *place) edit(gvr schema.GroupVersionResource, name, patch string) {
	p.t.Helper()
	_, err := p.admin.Resource(gvr).Namespace(p.namespace).Patch(p.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		p.t.Fatal(err)
	}
}

// until looks again until the report satisfies ok: a watch needs a moment.
func (p *place) until(text string, ok func(drift.Report) bool) drift.Report {
	p.t.Helper()
	want := p.set(text)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		_, report := p.observe(want)
		if ok(report) {
			return report
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the report stays:\n%s", report)
		}
		if err := pauseFor(p.t.Context(), 20*time.Millisecond); err != nil {
			p.t.Fatal(err)
		}
	}
}

const plain = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {team: shop}}
data: {colour: blue, size: "3"}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]`

// What stringData says is the app's like any other field, although the API server keeps
// it in data, and in nobody's name: an edit is seen, a change in Git is applied.
func TestWhatStringDataSaysIsCompared(t *testing.T) {
	p := newPlace(t)
	secret := func(password string) string {
		return "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\ndata: {user: YWRh}\nstringData: {password: " + password + "}"
	}
	p.deploy(p.set(secret("first")))
	p.until(secret("first"), drift.Report.InSync)
	for _, patch := range []string{`{"data":{"password":"YmFk"}}`, `{"stringData":{"password":"worse"}}`} {
		p.edit(secretsGVR, "login", patch)
		report := p.until(secret("first"), func(r drift.Report) bool { return !r.InSync() })
		if got := report.String(); !strings.Contains(got, "changed by kubectl-edit\n  data.password: "+resource.Mask+" -> "+resource.Mask) {
			t.Errorf("it is reported as\n%s", got)
		}
		p.deploy(p.set(secret("first")))
	}
	if _, report := p.observe(p.set(secret("second"))); report.InSync() {
		t.Error("another value in Git is no difference")
	}
	p.deploy(p.set(secret("second")))
	live, err := p.admin.Resource(secretsGVR).Namespace(p.namespace).Get(t.Context(), "login", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if data, _, _ := unstructured.NestedStringMap(live.Object, "data"); data["password"] != "c2Vjb25k" || data["user"] != "YWRh" {
		t.Errorf("the cluster has %v", data)
	}
}

// What is said in both places is what stringData says.
func TestStringDataComesFirst(t *testing.T) {
	for name, c := range map[string]struct{ from, want map[string]any }{
		"both":      {map[string]any{"data": map[string]any{"a": "YQ==", "b": "Yg=="}, "stringData": map[string]any{"b": "c"}}, map[string]any{"data": map[string]any{"a": "YQ==", "b": "Yw=="}}},
		"alone":     {map[string]any{"stringData": map[string]any{"b": "", "c": nil}}, map[string]any{"data": map[string]any{"b": "", "c": ""}}},
		"not there": {map[string]any{"data": map[string]any{"a": "YQ=="}}, map[string]any{"data": map[string]any{"a": "YQ=="}}},
		"no text":   {map[string]any{"stringData": map[string]any{"b": 1}}, map[string]any{"stringData": map[string]any{"b": 1}}},
		"no data":   {map[string]any{"data": 1, "stringData": map[string]any{"b": "c"}}, map[string]any{"data": 1, "stringData": map[string]any{"b": "c"}}},
	} {
		encodeSecret(resource.Key{Kind: "Secret", Name: "a"}, &unstructured.Unstructured{Object: c.from})
		if !reflect.DeepEqual(c.from, c.want) {
			t.Errorf("%s: it is %v, want %v", name, c.from, c.want)
		}
	}
}

// Of what is sent encoded, neither form is repeated.
func TestStringDataIsConcealedAsItIsSent(t *testing.T) {
	secret := resource.Object{Key: resource.Key{Kind: "Secret", Name: "a"}, Spec: []byte(`{"stringData":{"token":"correct-horse"}}`), Sensitive: []string{"/data", "/stringData"}}
	if got := concealer([]resource.Object{secret}, nil).Replace("refused: Y29ycmVjdC1ob3JzZQ== and correct-horse"); strings.Contains(got, "horse") || strings.Contains(got, "Y29") {
		t.Errorf("it is said as %q", got)
	}
}

// What a person has put back by hand is no drift any more, though the field is not ours
// since; and whatever is done to it next is seen as before.
func TestWhatAPersonPutBackIsNoDrift(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	for _, colour := range []string{"red", "green"} {
		p.edit(configMaps, "settings", `{"data":{"colour":"`+colour+`"}}`)
		report := p.until(plain, func(r drift.Report) bool { return !r.InSync() })
		if got := report.String(); !strings.Contains(got, "changed by kubectl-edit\n  data.colour: "+colour+" -> blue") {
			t.Errorf("it is reported as\n%s", got)
		}
		p.edit(configMaps, "settings", `{"data":{"colour":"blue"}}`)
		p.until(plain, drift.Report.InSync)
	}
	p.edit(configMaps, "settings", `{"data":{"colour":null}}`)
	p.until(plain, func(r drift.Report) bool { return strings.Contains(r.String(), "data.colour: (none) -> blue") })
}

func TestDriftOfEveryKindIsSeenAndRepaired(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	for _, c := range []struct {
		name string
		do   func()
		want string
	}{
		{"edit", func() { p.edit(configMaps, "settings", `{"data":{"colour":"red"}}`) }, "changed by kubectl-edit\n  data.colour: red -> blue"},
		{"removed field", func() { p.edit(configMaps, "settings", `{"data":{"size":null}}`) }, "data.size: (none) -> 3"},
		{"label", func() { p.edit(configMaps, "settings", `{"metadata":{"labels":{"team":"other"}}}`) }, "metadata.labels.team: other -> shop"},
		{"our label", func() { p.edit(configMaps, "settings", `{"metadata":{"labels":{"syncd.io/agent":null}}}`) }, "metadata.labels.syncd.io/agent"},
		{"list item", func() {
			p.edit(services, "web", `{"spec":{"ports":[{"name":"http","port":80,"targetPort":9090,"protocol":"TCP"}]}}`)
		}, "spec.ports[http].targetPort: 9090 -> 8080"},
		{"delete", func() {
			if err := p.admin.Resource(configMaps).Namespace(p.namespace).Delete(t.Context(), "settings", metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
		}, "settings missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.do()
			report := p.until(plain, func(r drift.Report) bool { return !r.InSync() })
			if !strings.Contains(report.String(), c.want) {
				t.Errorf("got\n%s\nwant %s", report, c.want)
			}
			p.deploy(p.set(plain))
			p.until(plain, drift.Report.InSync)
		})
	}
}

func TestForeignFieldsAreToldAndStay(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	p.edit(configMaps, "settings", `{"data":{"extra":"yes"},"metadata":{"annotations":{"note":"mine"}}}`)
	report := p.until(plain, func(r drift.Report) bool { return len(r.Aside()) == 2 })
	if !report.InSync() {
		t.Errorf("nothing that is wanted differs:\n%s", report)
	}
	aside := strings.Join(report.Aside(), ", ")
	if !strings.Contains(aside, "data.extra (kubectl-edit)") || !strings.Contains(aside, "metadata.annotations.note (kubectl-edit)") {
		t.Errorf("aside: %s", aside)
	}
}

func TestPruneAndRename(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	renamed := strings.Replace(plain, "name: settings", "name: options", 1)
	p.deploy(p.set(renamed))
	_, err := p.admin.Resource(configMaps).Namespace(p.namespace).Get(t.Context(), "settings", metav1.GetOptions{})
	if err == nil {
		t.Error("what was renamed is still there")
	}
	p.until(renamed, drift.Report.InSync)
}

func TestForeignObjectsAreNotTouched(t *testing.T) {
	p := newPlace(t)
	access := p.admin.Resource(configMaps).Namespace(p.namespace)
	set := p.set(plain)
	u, err := decoded(set[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := access.Create(t.Context(), u, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		t.Fatal(err)
	}
	plan := p.plan(set)
	if len(plan.Blocked) != 1 || !strings.Contains(plan.Blocked[0], "made by kubectl") {
		t.Errorf("got %s", plan)
	}
}

// A name that was free by a list of some seconds ago may be taken by now: who made it
// since then keeps it.
func TestWhatWasMadeSinceTheListIsNotTakenOver(t *testing.T) {
	p := newPlace(t)
	set := p.set(plain)
	k, ok := p.engine.kinds.known(configMaps.GroupVersion().WithKind("ConfigMap"))
	if !ok {
		t.Fatal("no ConfigMaps")
	}
	old := p.engine.surveyed(scope{kind: k, namespace: p.namespace})
	old.all, old.until = &listing{asked: time.Now().Add(-freshLook)}, time.Now().Add(time.Hour)
	p.observe(set[:1])
	u, err := decoded(set[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.admin.Resource(configMaps).Namespace(p.namespace).Create(t.Context(), u, metav1.CreateOptions{FieldManager: "kubectl-create"}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.target.Put(t.Context(), set[0]); fault.Of(err) != fault.Blocked {
		t.Errorf("got %v", err)
	}
}

func TestAnImmutableFieldMakesItAnew(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(shop))
	other := strings.ReplaceAll(shop, "app: web", "app: site")
	plan := p.plan(p.set(other))
	if !strings.Contains(plan.String(), "remove Deployment") {
		t.Fatalf("got %s", plan)
	}
	p.deploy(p.set(other))
	p.until(other, drift.Report.InSync)
}

func TestInSyncCostsNothing(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(shop))
	p.until(shop, drift.Report.InSync)
	counted := p.count()
	for range 5 {
		p.observe(p.set(shop))
	}
	if n := counted(); n != 0 {
		t.Errorf("%d requests for nothing", n)
	}
}

func TestTheRecordRemembersAcrossARestart(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	p.until(plain, drift.Report.InSync)
	p.owned.Notes = p.target.Notes()
	p.restart()
	counted := p.count()
	if _, report := p.observe(p.set(plain)); !report.InSync() {
		t.Errorf("got %s", report)
	}
	if n := counted(); n > 6 { // two watches begin: each a stream, or, where etcd is old, three requests
		t.Errorf("%d requests", n)
	}
}

// How a workload felt is on record with the version of it that it was told of: a new
// process asks for none that has stayed as it was, and looks anew at one that was not well.
func TestARestartAsksForNoWorkloadThatHasStayedWell(t *testing.T) {
	p := newPlace(t)
	web := p.set(strings.Replace(singleWeb, "replicas: 1", "replicas: 0", 1))
	p.deploy(web)
	p.known(web)
	p.owned.Notes = p.target.Notes()
	p.restart()
	before := p.asked("*")
	if h := p.pairOf(web[0]).Live[0].Health; h.State != resource.Well || h.Check != health.CheckStatus {
		t.Errorf("%+v", h)
	}
	if n := p.asked("*") - before; n != 0 {
		t.Errorf("%d requests", n)
	}
	p.target.ledger.change(web[0].Key, func(e *entry) { e.Health.State = resource.Progressing })
	p.owned.Notes = p.target.Notes()
	p.restart()
	if h := p.pairOf(web[0]).Live[0].Health; h.State != resource.Well || p.asked("deployments/web") == 0 {
		t.Errorf("after it was not well: %+v", h)
	}
}

// What was put in this very moment may be wanted otherwise in the next, before any
// watch has shown it.
func TestAChangeThatNoWatchHasShownYetIsCompared(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(plain))
	changed := p.set(strings.Replace(plain, "blue", "green", 1))[0]
	w, err := p.target.wanted(t.Context(), changed)
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.target.identity()
	if err != nil {
		t.Fatal(err)
	}
	known, _ := p.target.ledger.get(changed.Key)
	l := &look{Target: p.target, identity: id}
	pair, err := l.compare(t.Context(), resource.Pair{Key: changed.Key, Want: &changed, InPlace: []string{""}}, w, known, nil)
	if err != nil || len(pair.Live) != 1 || !strings.Contains(string(pair.Stored), "green") || !strings.Contains(string(pair.Live[0].Spec), "blue") {
		t.Errorf("got %+v, %v", pair, err)
	}
}
