package kube

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
)

// golden compares an answer with the file of that name; -update writes none: the
// files are small enough to be read and edited by people.
func golden(t *testing.T, name string, answer render.Answer) {
	t.Helper()
	got, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "golden", name+".json")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(want) {
		t.Errorf("%s differs; got\n%s", path, got)
	}
}

// repository reads one from testdata.
func repository(t *testing.T, name string) files {
	t.Helper()
	out := files{}
	root := filepath.Join("testdata", name)
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		rel, _ := filepath.Rel(root, p)
		out[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("%d files of %s: %v", len(out), root, err)
	}
	return out
}

func TestTheShopIsRendered(t *testing.T) {
	f := repository(t, "shop")
	apps := discover(t, f, "")
	if list(apps) != "app=shop" {
		t.Fatal(list(apps))
	}
	req := f.request(t)
	req.App, req.Values = apps[0], map[string]string{"ENV": "prod"}
	golden(t, "shop", mustRender(t, req))
}

// tiers prints the groups of an answer's objects with what they need.
func printTiers(a render.Answer) string {
	lines := map[string]bool{}
	for _, o := range a.Objects {
		line := o.Group + " <-"
		for _, n := range o.Needs {
			if !n.Required || !n.Always {
				line += " OPTIONAL"
			}
			line += " " + n.Group + ":" + string(n.Condition)
		}
		lines[line] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "\n")
}

func wave(n string) string { return "  annotations: {syncd.io/wave: '" + n + "'}" }

// A tier needs the one before it in its wave to be there, its definitions to be
// served, and the wave before to be healthy, all of it.
func TestTiersAreInOrder(t *testing.T) {
	a := mustRender(t, one(strings.Join([]string{
		manifestOf("v1", "Namespace", "shop"),
		configMap("early") + "  annotations: {syncd.io/wave: '-1'}\n",
		configMap("conf"),
		manifestOf("v1", "Service", "web"),
		manifestOf("apps/v1", "Deployment", "web"),
		manifestOf("batch/v1", "Job", "migrate"),
		manifestOf("batch/v1", "CronJob", "nightly"),
		manifestOf("networking.k8s.io/v1", "Ingress", "web"),
		manifestOf("cert-manager.io/v1", "Certificate", "web"),
		manifestOf("apps/v1", "Deployment", "late", wave("2")),
		manifestOf("example.com/v1", "Thing", "late", wave("2")),
	}, "---\n")).request(t))
	want := strings.Join([]string{
		"-1.0 definitions <-",
		"-1.1 config <- -1.0 definitions:healthy",
		"0.1 config <- -1.0 definitions:healthy -1.1 config:healthy",
		"0.2 jobs <- 0.1 config:started",
		"0.2 workloads <- 0.1 config:started",
		"0.3 rest <- 0.2 workloads:started 0.2 jobs:started",
		"2.2 workloads <- 0.1 config:healthy 0.2 workloads:healthy 0.2 jobs:healthy 0.3 rest:healthy",
		"2.3 rest <- 2.2 workloads:started",
	}, "\n")
	if got := printTiers(a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, o := range a.Objects {
		if o.Once != (o.Key.Kind == "Job") || o.Once != (o.Job != nil) {
			t.Errorf("%s: once %t, job %v", o.Key, o.Once, o.Job)
		}
	}
}

func TestHooksAreAroundTheWaves(t *testing.T) {
	hook := func(kind, name, when, weight string) string {
		return manifestOf("batch/v1", kind, name, "  annotations: {helm.sh/hook: '"+when+"', helm.sh/hook-weight: '"+weight+"'}")
	}
	a := mustRender(t, files{
		"app/Chart.yaml":             "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
		"app/templates/a.yaml":       configMap("a"),
		"app/crds/a.yaml":            manifestOf("apiextensions.k8s.io/v1", "CustomResourceDefinition", "as.example.com"),
		"app/templates/said.yaml":    manifestOf("v1", "Namespace", "said", wave("7")),
		"app/templates/early.yaml":   configMap("early") + "  annotations: {syncd.io/wave: '-3'}\n",
		"app/templates/migrate.yaml": hook("Job", "migrate", "pre-upgrade,pre-install", "0"),
		"app/templates/before.yaml":  hook("Job", "before", "pre-install", "-5"),
		"app/templates/warm.yaml":    hook("Job", "warm", "post-install", "1"),
		"app/templates/test.yaml":    hook("Job", "test", "test", "1"),
	}.request(t))
	want := strings.Join([]string{
		"-3.1 config <- pre.2 jobs:healthy",
		"0.1 config <- -3.1 config:healthy",
		"7.0 definitions <- 0.1 config:healthy",
		"post:1.2 jobs <- 7.0 definitions:healthy",
		"pre.2 jobs <- pre:-5.0 definitions:healthy pre:-5.2 jobs:healthy",
		"pre:-5.0 definitions <-",
		"pre:-5.2 jobs <- pre:-5.0 definitions:healthy",
	}, "\n")
	if got := printTiers(a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if keys(a) != "ConfigMap/default/a ConfigMap/default/early CustomResourceDefinition/as.example.com Job/default/before Job/default/migrate Job/default/warm Namespace/said" {
		t.Error(keys(a))
	}
}

func TestSlotsHaveTheirNamespaces(t *testing.T) {
	crd := func(group, kind, scope string) string {
		return manifestOf("apiextensions.k8s.io/v1", "CustomResourceDefinition", strings.ToLower(kind)+"s."+group, "spec:", "  group: "+group, "  scope: "+scope, "  names: {kind: "+kind+"}")
	}
	for name, c := range map[string]struct{ manifests, want string }{
		"default":              {configMap("a"), "ConfigMap/shop/a"},
		"own":                  {manifestOf("v1", "ConfigMap", "a", "  namespace: other"), "ConfigMap/other/a"},
		"empty":                {manifestOf("v1", "ConfigMap", "a", "  namespace: ''"), "ConfigMap/shop/a"},
		"null":                 {manifestOf("v1", "ConfigMap", "a", "  namespace:"), "ConfigMap/shop/a"},
		"cluster":              {manifestOf("rbac.authorization.k8s.io/v1", "ClusterRole", "system:a"), "ClusterRole/system:a"},
		"cluster with one":     {manifestOf("v1", "PersistentVolume", "a", "  namespace: b"), "PersistentVolume/a"},
		"group of old":         {manifestOf("extensions/v1beta1", "Ingress", "a"), "Ingress.extensions/shop/a"},
		"custom":               {manifestOf("cert-manager.io/v1", "Certificate", "a"), "Certificate.cert-manager.io/shop/a"},
		"well-known":           {manifestOf("cert-manager.io/v1", "ClusterIssuer", "a"), "ClusterIssuer.cert-manager.io/a"},
		"any of a group":       {manifestOf("constraints.gatekeeper.sh/v1beta1", "K8sRequiredLabels", "a"), "K8sRequiredLabels.constraints.gatekeeper.sh/a"},
		"*.k8s.io, not served": {manifestOf("gateway.networking.k8s.io/v1", "Gateway", "a"), "Gateway.gateway.networking.k8s.io/shop/a"},
		"said cluster":         {manifestOf("example.com/v1", "Thing", "a", "  annotations: {syncd.io/scope: Cluster}"), "Thing.example.com/a"},
		"said namespaced":      {manifestOf("cert-manager.io/v1", "ClusterIssuer", "a", "  annotations: {syncd.io/scope: Namespaced}"), "ClusterIssuer.cert-manager.io/shop/a"},
		"defined behind it":    {manifestOf("example.com/v1", "Thing", "a") + "---\n" + crd("example.com", "Thing", "Cluster"), "CustomResourceDefinition/things.example.com Thing.example.com/a"},
		"defined here":         {crd("example.com", "Thing", "Namespaced") + "---\n" + manifestOf("example.com/v1", "Thing", "a"), "CustomResourceDefinition/things.example.com Thing.example.com/shop/a"},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(c.manifests).request(t)
			req.App.Config.Kubernetes.Namespace, req.Values = "${NS}", map[string]string{"NS": "shop", "UNUSED": "x"}
			a := mustRender(t, req)
			if keys(a) != c.want {
				t.Errorf("got %s, want %s", keys(a), c.want)
			}
			if !slices.Equal(a.Variables, []string{"NS"}) {
				t.Errorf("variables %v", a.Variables)
			}
			for _, o := range a.Objects {
				if got := metadataOf(t, o)["namespace"]; text(got) != o.Key.Namespace {
					t.Errorf("%s has the namespace %v", o.Key, got)
				}
			}
			if name == "cluster with one" && !strings.Contains(strings.Join(a.Notes, "\n"), "app/a.yaml:5: PersistentVolume a: metadata.namespace: b is left out") {
				t.Errorf("notes %q", a.Notes)
			}
		})
	}
}

func metadataOf(t *testing.T, o resource.Object) map[string]any {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(o.Spec, &tree); err != nil {
		t.Fatal(err)
	}
	return mapping(tree["metadata"])
}

func TestFormsOfManifests(t *testing.T) {
	const a = `{"apiVersion":"v1","data":%s,"kind":"ConfigMap","metadata":{"name":"a","namespace":"default"}}`
	for name, c := range map[string]struct{ file, text, data string }{
		"block":         {"a.yaml", configMap("a") + "data: {k: v}\n", `{"k":"v"}`},
		"yml":           {"a.yml", configMap("a") + "data: {k: v}\n", `{"k":"v"}`},
		"JSON":          {"a.json", "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ConfigMap\",\n\t\"metadata\": {\"name\": \"a\"},\n\t\"data\": {\"k\": \"\\u00e9\"}\n}\n", `{"k":"é"}`},
		"BOM, CRLF":     {"a.yaml", "\ufeff" + strings.ReplaceAll(configMap("a")+"data:\n  k: |\n    one\n    two\n", "\n", "\r\n"), `{"k":"one\ntwo\n"}`},
		"comments":      {"a.yaml", "# one\n---\n---\n# two\n" + configMap("a") + "data: {k: v}\n---\n", `{"k":"v"}`},
		"markers":       {"a.yaml", "%YAML 1.1\n--- # it begins\n" + configMap("a") + "data: {k: v}\n...\n", `{"k":"v"}`},
		"in the line":   {"a.yaml", "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: v}}\n", `{"k":"v"}`},
		"anchors":       {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: &n a}\ndata: {k: *n}\n", `{"k":"a"}`},
		"merges":        {"a.yaml", "x: &x {k: v, l: w}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {<<: *x, k: own}\n", `{"k":"own","l":"w"},"x":{"k":"v","l":"w"}`},
		"as kubectl":    {"a.yaml", configMap("a") + "data: {a: yes, b: 0644, c: 1e3, d: 2020-01-01, e: ~, f: 9007199254740993, g: '1'}\n", `{"a":true,"b":420,"c":1000,"d":"2020-01-01","e":null,"f":9007199254740993,"g":"1"}`},
		"a dollar":      {"a.yaml", configMap("a") + "data: {k: '${ENV} $(A) $$'}\n", `{"k":"${ENV} $(A) $$"}`},
		"List":          {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  data: {k: v}\n", `{"k":"v"}`},
		"ConfigMapList": {"a.yaml", "apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n  data: {k: v}\n", `{"k":"v"}`},
		"List of Lists": {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n    data: {k: v}\n", `{"k":"v"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustRender(t, files{"app/" + c.file: c.text}.request(t))
			if len(got.Objects) != 1 {
				t.Fatal(keys(got))
			}
			want := strings.Replace(a, "%s", c.data, 1)
			if name == "merges" {
				want = `{"apiVersion":"v1","data":{"k":"own","l":"w"},"kind":"ConfigMap","metadata":{"name":"a","namespace":"default"},"x":{"k":"v","l":"w"}}`
			}
			if string(got.Objects[0].Spec) != want {
				t.Errorf("got  %s\nwant %s", got.Objects[0].Spec, want)
			}
		})
	}
}

// A kind may end in List without being one: what has no items is an object, and is
// never left out.
func TestAKindMayEndInList(t *testing.T) {
	for name, f := range map[string]files{
		"plain":         one(configMap("a") + "---\n" + manifestOf("ec2.aws.upbound.io/v1beta1", "ManagedPrefixList", "office", "spec: {maxEntries: 5}")),
		"kustomization": one(configMap("a") + "---\n" + manifestOf("ec2.aws.upbound.io/v1beta1", "ManagedPrefixList", "office", "spec: {maxEntries: 5}")).with(files{"app/kustomization.yaml": "resources: [a.yaml]\n"}),
		"in a List":     one(configMap("a") + "---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: ec2.aws.upbound.io/v1beta1\n  kind: ManagedPrefixList\n  metadata: {name: office}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := keys(mustRender(t, f.request(t))), "ConfigMap/default/a ManagedPrefixList.ec2.aws.upbound.io/default/office"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	for name, list := range map[string]string{"List": "v1\nkind: List", "typed, null": "v1\nkind: SecretList\nitems: null", "typed, empty": "v1\nkind: SecretList\nitems: []"} {
		if got := keys(mustRender(t, one(configMap("a")+"---\napiVersion: "+list+"\n").request(t))); got != "ConfigMap/default/a" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// What only a cluster says, and what says whose an object is, does not come from
// Git.
func TestWhatAClusterSaysIsLeftOut(t *testing.T) {
	a := mustRender(t, one(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  uid: 1b4e
  resourceVersion: "12"
  generation: 3
  creationTimestamp: null
  managedFields: [{manager: kubectl}]
  selfLink: /x
  labels: {app.kubernetes.io/managed-by: Helm, syncd.io/app: other, app: web}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    syncd.io/hash: "1:0"
spec:
  template:
    metadata: {creationTimestamp: null, labels: {app: web, app.kubernetes.io/managed-by: Helm}}
status: {replicas: 3}
`).request(t))
	want := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"app":"web"},"name":"web","namespace":"default"},"spec":{"template":{"metadata":{"labels":{"app":"web","app.kubernetes.io/managed-by":"Helm"}}}}}`
	if got := string(a.Objects[0].Spec); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	notes := strings.Join(a.Notes, "\n")
	for _, word := range []string{"app/a.yaml:5: Deployment web: metadata.uid", "resourceVersion", "generation", "managedFields", "selfLink", "[syncd.io/app]", "[syncd.io/hash]", "[kubectl.kubernetes.io/last-applied-configuration]"} {
		if !strings.Contains(notes, word) {
			t.Errorf("no note says %s:\n%s", word, notes)
		}
	}
	if strings.Contains(notes, "creationTimestamp") || strings.Contains(notes, "managed-by") {
		t.Errorf("notes are about nothing:\n%s", notes)
	}
}

func TestSettingsBecomePartOfObjects(t *testing.T) {
	req := one(manifestOf("cert-manager.io/v1", "Certificate", "a", "  labels: {team: shop}") + "---\n" + manifestOf("batch/v1", "Job", "b")).request(t)
	req.App.Config = config.App{
		Kubernetes: config.KubernetesApp{
			Labels: map[string]string{"team": "shop", "tier": "front"},
			Health: map[string]config.KubernetesCheck{"Certificate.cert-manager.io": {Healthy: "object.ok"}, "Pod": {Failed: "true"}},
		},
		Jobs:    map[string]config.Job{"b": {OnRollback: "keep"}, "c": {}},
		Rollout: config.Rollout{Timeout: config.Duration(5 * time.Minute)},
	}
	a := mustRender(t, req)
	cert, job := object(t, a, "Certificate.cert-manager.io/default/a"), object(t, a, "Job/default/b")
	if cert.Check == nil || cert.Check.Healthy != "object.ok" || job.Check != nil {
		t.Errorf("checks %v, %v", cert.Check, job.Check)
	}
	if job.Job == nil || job.Job.OnRollback != resource.KeepOnRollback {
		t.Errorf("job %+v", job.Job)
	}
	if cert.Policy.Ready != 5*time.Minute || cert.Rollback.Ready != 5*time.Minute || cert.Policy.Parallelism != 0 {
		t.Errorf("policy %+v", cert.Policy)
	}
	if labels := mapping(metadataOf(t, cert)["labels"]); len(labels) != 2 || labels["tier"] != "front" {
		t.Errorf("labels %v", labels)
	}
	notes := strings.Join(a.Notes, "\n")
	if !strings.Contains(notes, "kubernetes.health.Pod") || !strings.Contains(notes, "jobs.c") {
		t.Errorf("notes %s", notes)
	}
}

func TestAJobThatGoesTooSoonIsNoted(t *testing.T) {
	a := mustRender(t, one(strings.Join([]string{
		manifestOf("batch/v1", "Job", "soon", "spec: {ttlSecondsAfterFinished: 0}"),
		manifestOf("batch/v1", "Job", "late", "spec: {ttlSecondsAfterFinished: 60}"),
		manifestOf("batch/v1", "Job", "never", "spec: {template: {}}"),
	}, "---\n")).request(t))
	if len(a.Notes) != 1 || !strings.Contains(a.Notes[0], "soon") || !strings.Contains(a.Notes[0], "spec.ttlSecondsAfterFinished") {
		t.Errorf("notes %q", a.Notes)
	}
}

func TestWhatIsSensitive(t *testing.T) {
	req := one(strings.Join([]string{
		manifestOf("v1", "Secret", "a", "stringData: {key: x}", "type: Opaque"),
		manifestOf("v1", "ConfigMap", "a", "data: {DB_PASSWORD: x, url: 'postgres://u:p@h/d', plain: y}"),
		manifestOf("v1", "Pod", "a", "spec:", "  imagePullSecrets: [{name: regcred}]", "  containers:", "  - name: a", "    command: [serve, --password, x, --token=y, --port, '80']",
			"    env: [{name: API_TOKEN, value: x}, {name: PORT, value: '80'}, {name: PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}]", "    args: [say-hunter2]", "  volumes: [{name: s, secret: {secretName: tls}}]"),
	}, "---\n")).request(t)
	req.Values, req.Secret = map[string]string{"PW": "hunter2"}, []string{"PW"}
	a := mustRender(t, req)
	for key, want := range map[string]string{
		"Secret/default/a":    "/data /stringData",
		"ConfigMap/default/a": "/data/DB_PASSWORD /data/url",
		"Pod/default/a":       "/spec/containers/0/args/0 /spec/containers/0/command/2 /spec/containers/0/command/3 /spec/containers/0/env/0/value",
	} {
		if got := strings.Join(object(t, a, key).Sensitive, " "); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
}

// A directory of manifests is read with those below it, without what is an app of
// its own or no manifest.
func TestADirectoryOfManifests(t *testing.T) {
	a := mustRender(t, files{
		"app/b.yaml":                 configMap("b"),
		"app/.syncd.yaml":            "name: shop\n",
		"app/.hidden.yaml":           configMap("hidden"),
		"app/.git/a.yaml":            configMap("hidden"),
		"app/sub/deep/a.yaml":        configMap("a"),
		"app/README.md":              "x",
		"app/values.yaml":            "a: b\n",
		"app/empty.yaml":             "\n",
		"app/kind.yaml":              "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n",
		"app/kubeconfig.yaml":        "apiVersion: v1\nkind: Config\nclusters: []\n",
		"app/own/kustomization.yaml": "resources: []\n",
		"app/chart/Chart.yaml":       "name: x\n",
		"app/said/.syncd.yaml":       "name: x\n",
		"app/link.yaml":              "-> ../other/c.yaml",
		"other/c.yaml":               configMap("c"),
	}.request(t))
	if keys(a) != "ConfigMap/default/a ConfigMap/default/b ConfigMap/default/c" {
		t.Error(keys(a))
	}
	notes := strings.Join(a.Notes, "\n")
	for _, word := range []string{"app/values.yaml: left out", "app/empty.yaml: holds nothing", "app/kind.yaml:2: left out: a Cluster", "app/kubeconfig.yaml:2", "ignored: app/chart, app/own, app/said"} {
		if !strings.Contains(notes, word) {
			t.Errorf("no note says %q:\n%s", word, notes)
		}
	}
	inputs := " " + strings.Join(a.Inputs, " ") + " "
	for _, want := range []string{"app/", "app/.syncd.yaml", "app/b.yaml", "app/link.yaml", "other/c.yaml", "app/kustomization.yaml", "app/Chart.yaml"} {
		if !strings.Contains(inputs, " "+want+" ") {
			t.Errorf("inputs lack %s: %s", want, inputs)
		}
	}
}

func TestTheSameRequestGivesTheSameBytes(t *testing.T) {
	for _, name := range []string{"shop"} {
		req := repository(t, name).request(t)
		req.App.Config.Kubernetes.Labels = map[string]string{"a": "1", "b": "2", "c": "3"}
		req.App.Config.Kubernetes.Path, req.Values = "overlays/${ENV}", map[string]string{"ENV": "prod"}
		first := marshal(t, mustRender(t, req))
		for range 10 {
			if again := marshal(t, mustRender(t, req)); !bytes.Equal(first, again) {
				t.Fatalf("first %s\nthen  %s", first, again)
			}
		}
	}
}
