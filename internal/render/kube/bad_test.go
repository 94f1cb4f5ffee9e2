package kube

import (
	"encoding/base64"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

// Every mistake is told by file, line, object and field.
func TestEveryMistakeIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		manifests string
		words     []string
	}{
		"not YAML":             {"apiVersion: v1\nkind: [\n", []string{"app/a.yaml:3:1", "not valid YAML"}},
		"not YAML further on":  {configMap("a") + "---\n" + configMap("b") + "---\na: b: c\n", []string{"app/a.yaml:13:5", "not valid YAML"}},
		"tab":                  {"apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n", []string{"app/a.yaml:4", "tabs"}},
		"not UTF-8":            {"apiVersion: v1\nkind: \xff\n", []string{"app/a.yaml", "UTF-8"}},
		"UTF-16":               {"\xff\xfea\x00", []string{"app/a.yaml", "UTF-8"}},
		"NUL":                  {"a: \x00", []string{"app/a.yaml", "NUL"}},
		"duplicate key":        {configMap("a") + "data:\n  a: x\n  a: y\n", []string{"app/a.yaml:8", `"a" is there twice (first in line 7)`}},
		"duplicate further on": {configMap("a") + "---\n" + configMap("b") + "kind: Secret\n", []string{"app/a.yaml:12", `"kind" is there twice (first in line 8)`}},
		"no line ---":          {configMap("a") + "...\n" + configMap("b"), []string{"app/a.yaml:7", "<document start>"}},
		"a list":               {configMap("a") + "---\n- a\n", []string{"app/a.yaml:7", "no mapping"}},
		"text":                 {configMap("a") + "---\nhello\n", []string{"app/a.yaml:7", "no mapping"}},
		"bomb":                 {bomb(), []string{"app/a.yaml", "YAML nodes"}},
		"infinity":             {configMap("a") + "data: {a: .inf}\n", []string{"app/a.yaml:1", "cannot be read"}},
		"key that is null":     {configMap("a") + "data: {null: a}\n", []string{"app/a.yaml:1", "cannot be read"}},
		"no apiVersion":        {"kind: ConfigMap\nmetadata: {name: a}\n", []string{"app/a.yaml:1: ConfigMap a: apiVersion: missing"}},
		"no kind":              {"apiVersion: v1\nmetadata: {name: a}\n", []string{"app/a.yaml:1: object a: kind: missing"}},
		"empty kind":           {"apiVersion: v1\nkind: ''\nmetadata: {name: a}\n", []string{"app/a.yaml:2: object a: kind: want text"}},
		"kind is a list":       {"apiVersion: v1\nkind: [a]\nmetadata: {name: a}\n", []string{"app/a.yaml:2", "kind: want text"}},
		"no such apiVersion":   {"apiVersion: a/b/c\nkind: A\nmetadata: {name: a}\n", []string{"app/a.yaml:1: A a: apiVersion", "GROUP/VERSION"}},
		"no group":             {"apiVersion: /v1\nkind: A\nmetadata: {name: a}\n", []string{"apiVersion", "GROUP/VERSION"}},
		"no such kind":         {"apiVersion: v1\nkind: Config Map\nmetadata: {name: a}\n", []string{"app/a.yaml:2", "no kind"}},
		"no metadata":          {"apiVersion: v1\nkind: ConfigMap\n", []string{"app/a.yaml:1: ConfigMap: metadata: missing"}},
		"metadata is text":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: a\n", []string{"app/a.yaml:3: ConfigMap: metadata"}},
		"no name":              {"apiVersion: v1\nkind: ConfigMap\nmetadata: {labels: {a: b}}\n", []string{"app/a.yaml:3: ConfigMap: metadata.name: missing"}},
		"second has no name":   {configMap("a") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: a\n", []string{"app/a.yaml:9: ConfigMap: metadata.name: missing"}},
		"generateName":         {"apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: a-\n", []string{"app/a.yaml:4: Job: metadata.generateName", "metadata.name"}},
		"name is a number":     {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 1}\n", []string{"metadata.name: want text", "quotes"}},
		"upper case":           {configMap("Web"), []string{`app/a.yaml:4: ConfigMap Web: metadata.name: "Web": a lowercase RFC 1123 subdomain`}},
		"long name":            {configMap(strings.Repeat("a", 254)), []string{"metadata.name", "253"}},
		"long Service":         {manifestOf("v1", "Service", strings.Repeat("a", 64)), []string{"metadata.name", "63"}},
		"dotted Namespace":     {manifestOf("v1", "Namespace", "a.b"), []string{"Namespace a.b: metadata.name"}},
		"slash in a Role":      {manifestOf("rbac.authorization.k8s.io/v1", "Role", "a/b"), []string{"Role a/b: metadata.name"}},
		"namespace":            {manifestOf("v1", "ConfigMap", "a", "  namespace: A_B"), []string{`app/a.yaml:5: ConfigMap a: metadata.namespace: "A_B"`}},
		"namespace is true":    {manifestOf("v1", "ConfigMap", "a", "  namespace: yes"), []string{"metadata.namespace: want text"}},
		"labels are a list":    {manifestOf("v1", "ConfigMap", "a", "  labels: [a]"), []string{"app/a.yaml:5: ConfigMap a: metadata.labels"}},
		"label is a number":    {manifestOf("v1", "ConfigMap", "a", "  labels:", "    tier: 1"), []string{"app/a.yaml:6: ConfigMap a: metadata.labels.tier: want text", "quotes"}},
		"label's name":         {manifestOf("v1", "ConfigMap", "a", "  labels: {'a b': c}"), []string{"metadata.labels[a b]"}},
		"label's value":        {manifestOf("v1", "ConfigMap", "a", "  labels: {a: 'b c'}"), []string{"metadata.labels.a"}},
		"annotation is true":   {manifestOf("v1", "ConfigMap", "a", "  annotations: {example.com/a: on}"), []string{"metadata.annotations[example.com/a]: want text"}},
		"annotations too long": {manifestOf("v1", "ConfigMap", "a", "  annotations: {a: "+strings.Repeat("x", 256<<10)+"}"), []string{"metadata.annotations: ", "262144"}},
		"wave":                 {manifestOf("v1", "ConfigMap", "a", "  annotations:", "    syncd.io/wave: first"), []string{`app/a.yaml:6: ConfigMap a: metadata.annotations[syncd.io/wave]: "first" is no whole number`}},
		"far wave":             {manifestOf("v1", "ConfigMap", "a", "  annotations: {syncd.io/wave: '1000001'}"), []string{"no whole number between"}},
		"prune":                {manifestOf("v1", "ConfigMap", "a", "  annotations: {syncd.io/prune: never}"), []string{`[syncd.io/prune]: "never" is not keep`}},
		"scope":                {manifestOf("example.com/v1", "Thing", "a", "  annotations: {syncd.io/scope: cluster}"), []string{`[syncd.io/scope]: "cluster" is neither Cluster nor Namespaced`}},
		"unknown of ours":      {manifestOf("v1", "ConfigMap", "a", "  annotations: {syncd.io/wav: '1'}"), []string{"[syncd.io/wav]: unknown", "syncd.io/wave"}},
		"not Base64":           {manifestOf("v1", "Secret", "a", "data:", "  key: hunter2!"), []string{"app/a.yaml:6: Secret a: data.key: not Base64", "stringData"}},
		"secret is a number":   {manifestOf("v1", "Secret", "a", "stringData:", "  pin: 1234"), []string{"app/a.yaml:6: Secret a: stringData.pin: want text", "quotes"}},
		"secret is a list":     {manifestOf("v1", "Secret", "a", "data: [a]"), []string{"Secret a: data: want a mapping"}},
		"item is no object":    {"apiVersion: v1\nkind: List\nitems:\n- a\n", []string{"app/a.yaml:4: List: items[0]: no object"}},
		"item without a name":  {"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {}\n", []string{"app/a.yaml:6: ConfigMap: metadata.name: missing"}},
		"twice in one file":    {configMap("a") + "---\n" + configMap("a"), []string{"app/a.yaml:7: ConfigMap/default/a: the object is there twice, first in app/a.yaml:1"}},
		"twice by default":     {configMap("a") + "---\n" + manifestOf("v1", "ConfigMap", "a", "  namespace: default"), []string{"there twice"}},
		"twice by version":     {manifestOf("autoscaling/v1", "HorizontalPodAutoscaler", "a") + "---\n" + manifestOf("autoscaling/v2", "HorizontalPodAutoscaler", "a"), []string{"there twice"}},
		"too large":            {manifestOf("v1", "ConfigMap", "a", "data: {a: "+strings.Repeat("x", maxObject)+"}"), []string{"app/a.yaml:1: ConfigMap a", "bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(c.manifests).request(t)
			mustFail(t, req, fault.Rejected, c.words...)
			first, second := renderError(t, req), renderError(t, req)
			if first != second {
				t.Errorf("first: %s\nthen:  %s", first, second)
			}
		})
	}
}

func renderError(t *testing.T, req render.Request) string {
	t.Helper()
	_, err := Render(t.Context(), req)
	return err.Error()
}

// bomb is small, and grows beyond measure.
func bomb() string {
	var out strings.Builder
	out.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nl0: &l0 [x,x,x,x,x,x,x,x,x]\n")
	for i := range 9 {
		from, to := string(rune('0'+i)), string(rune('1'+i))
		out.WriteString("l" + to + ": &l" + to + " [" + strings.TrimSuffix(strings.Repeat("*l"+from+",", 9), ",") + "]\n")
	}
	return out.String()
}

func TestDuplicatesNameBothFiles(t *testing.T) {
	f := files{"app/a.yaml": configMap("x"), "app/sub/b.yaml": "# two\n---\n" + configMap("x")}
	mustFail(t, f.request(t), fault.Rejected, "app/sub/b.yaml:3", "ConfigMap/default/x", "app/a.yaml:1")
}

func TestSeveralMistakesComeTogether(t *testing.T) {
	f := files{"app/a.yaml": configMap("A") + "---\n" + configMap("b") + "---\n" + configMap("C"), "app/b.yaml": "kind: ConfigMap\n"}
	mustFail(t, f.request(t), fault.Rejected, "app/a.yaml:4", "app/a.yaml:16", "app/b.yaml:1")
	broken := files{"app/a.yaml": "a: [\n", "app/b.yaml": "b: [\n"}
	mustFail(t, broken.request(t), fault.Rejected, "app/a.yaml:2", "app/b.yaml:2")
	var many strings.Builder
	for range 100 {
		many.WriteString(configMap("A") + "---\n")
	}
	if lines := strings.Count(renderError(t, one(many.String()).request(t)), "\n") + 1; lines != 10 {
		t.Errorf("%d lines", lines)
	}
}

func TestSettingsThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		app   config.App
		words []string
	}{
		"no variable":     {config.App{Kubernetes: config.KubernetesApp{Path: "overlays/${ENV}"}}, []string{"app/.syncd.yaml", "kubernetes.path", "ENV has no value", "host.vars"}},
		"a dollar":        {config.App{Kubernetes: config.KubernetesApp{Path: "a$b"}}, []string{"kubernetes.path", "$$"}},
		"climbs":          {config.App{Kubernetes: config.KubernetesApp{Path: "../../x"}}, []string{"kubernetes.path", "leaves the repository"}},
		"climbs by value": {config.App{Kubernetes: config.KubernetesApp{Path: "${UP}"}}, []string{"kubernetes.path", "leaves the repository"}},
		"no directory":    {config.App{Kubernetes: config.KubernetesApp{Path: "nothing"}}, []string{"kubernetes.path", "app/nothing"}},
		"namespace":       {config.App{Kubernetes: config.KubernetesApp{Namespace: "A b"}}, []string{"kubernetes.namespace", `"A b"`}},
		"no such value":   {config.App{Kubernetes: config.KubernetesApp{Namespace: "${NO}"}}, []string{"kubernetes.namespace", "NO has no value"}},
		"label conflict":  {config.App{Kubernetes: config.KubernetesApp{Labels: map[string]string{"tier": "front"}}}, []string{"app/a.yaml:6: ConfigMap a: metadata.labels.tier", "back", "front", "app/.syncd.yaml"}},
		"chart and none":  {config.App{Kubernetes: config.KubernetesApp{Helm: config.Helm{Chart: config.Chart{Name: "a"}}}}, []string{"kubernetes.helm.chart.repo"}},
		"not fetched":     {config.App{Kubernetes: config.KubernetesApp{Helm: config.Helm{Chart: config.Chart{Repo: "oci://x/y", Name: "a"}}}}, []string{"kubernetes.helm.chart", "not fetched"}},
		"job runs":        {config.App{Jobs: map[string]config.Job{"migrate": {OnRollback: "run: x"}}}, []string{"jobs.migrate.onRollback", "halt or keep"}},
		"job's backup":    {config.App{Jobs: map[string]config.Job{"migrate": {Before: "x"}}}, []string{"jobs.migrate.before", "syncd.io/wave"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(manifestOf("v1", "ConfigMap", "a", "  labels:", "    tier: back") + "---\n" + manifestOf("batch/v1", "Job", "migrate")).request(t)
			req.App.Config, req.Values = c.app, map[string]string{"UP": "../.."}
			mustFail(t, req, fault.Rejected, c.words...)
		})
	}
}

// An app that renders to nothing is never taken for the wish to have nothing.
func TestNothingIsNoWish(t *testing.T) {
	for name, f := range map[string]files{
		"no manifest":   {"app/README.md": "x"},
		"values only":   {"app/values.yaml": "a: b\n"},
		"empty file":    {"app/a.yaml": ""},
		"empty stream":  {"app/a.yaml": "---\n# nothing\n---\n...\n"},
		"empty List":    {"app/a.yaml": "apiVersion: v1\nkind: List\nitems: []\n"},
		"kustomization": {"app/kustomization.yaml": "resources: []\n"},
		"empty chart":   {"app/Chart.yaml": "apiVersion: v2\nname: a\nversion: 1.0.0\n", "app/values.yaml": "a: b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			mustFail(t, f.request(t), fault.Blocked, "app: the app has no objects", "consent")
		})
	}
}

func TestLimits(t *testing.T) {
	req := one(configMap("a") + "---\n" + configMap("b")).request(t)
	req.MaxObjects = 1
	mustFail(t, req, fault.Rejected, "limit of 1 objects", "limits.objects")
	req.MaxObjects, req.MaxBytes = 2, 100
	mustFail(t, req, fault.Rejected, "limit of 100", "limits.renderSize")
}

// A secret of the host is in no error and no note, however it came to be there.
func TestNothingShowsASecret(t *testing.T) {
	req := one(configMap("a")).request(t)
	req.Values, req.Secret = map[string]string{"DIR": "hunter2"}, []string{"DIR"}
	req.App.Config.Kubernetes.Path = "${DIR}"
	mustFail(t, req, fault.Rejected, "kubernetes.path", "(secret)")
	if text := renderError(t, req); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
	bad := one(manifestOf("v1", "Secret", "a", "data:", "  key: "+base64.StdEncoding.EncodeToString([]byte("hunter2"))[1:])).request(t)
	if text := renderError(t, bad); strings.Contains(text, "hunter2") || strings.Contains(text, "HVudGVy") {
		t.Error(text)
	}
}

// What a chart makes of a secret is in no error either: not in part, and not by a line
// of it that is shown for its place.
func TestNoChartShowsASecret(t *testing.T) {
	const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ"
	long := strings.Repeat("hunter2-", 40)
	template := func(text string) files {
		return chart().with(files{"app/templates/b.yaml": "apiVersion: v1\nkind: Secret\n" + text})
	}
	schema := func(text string) files { return chart().with(files{"app/values.schema.json": text}) }
	for name, c := range map[string]struct {
		files  files
		secret string
		hidden string
		words  []string
	}{
		"a line":        {template("metadata: {name: tls}\nstringData:\n  tls.key: {{ .Values.secret }}\n"), "-----BEGIN PRIVATE KEY-----\n" + line + "\n-----END PRIVATE KEY-----\n", line[:20], []string{"not YAML: line 6"}},
		"cut":           {template("a: b: {{ .Values.secret }}\n"), long, "hunter2", []string{"not YAML: line 3"}},
		"an anchor":     {template("a: {{ .Values.secret }}\n"), "*hunter2-xyz", "hunter2", []string{"not YAML", "unknown anchor"}},
		"in Base64":     {template("a: {{ .Values.secret | b64enc }}: b\n"), "hunter2-xyz", "aHVudGVyMi14eXo", []string{"not YAML: line 3"}},
		"a long name":   {template("metadata: {name: {{ .Values.secret | quote }}}\n"), long, "hunter2", []string{"metadata.name"}},
		"a long key":    {template("metadata: {name: a, annotations: {{ dict .Values.secret 1 | toJson }}}\n"), "/" + long, "hunter2", []string{"metadata.annotations"}},
		"failing":       {template("{{ fail .Values.secret }}\n"), "hunter2\n", "hunter2", []string{"templates/b.yaml:3"}},
		"pattern":       {schema(`{"properties": {"secret": {"pattern": "^[A-Za-z0-9]+$"}}}`), "it's-hunter2", "hunter2", []string{"at '/secret': does not match pattern"}},
		"blanks":        {schema(`{"properties": {"secret": {"pattern": "^[A-Za-z0-9]+$"}}}`), "two  blanks-hunter2", "hunter2", []string{"at '/secret'"}},
		"number":        {schema(`{"properties": {"secret": {"maximum": 10}}}`), "12345678", "2345", []string{"at '/secret': want at most 10"}},
		"beside others": {schema(`{"allOf": [{"properties": {"secret": {"pattern": "^$"}}}, {"properties": {"port": {"type": "string"}}}]}`), "hunter2", "hunter2", []string{"at '/port': got number, want string", "at '/secret'"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.files.request(t)
			req.App.Config.Kubernetes.Helm.Set = map[string]string{"secret": "${SECRET}"}
			req.Values, req.Secret = map[string]string{"SECRET": c.secret}, []string{"SECRET"}
			mustFail(t, req, fault.Rejected, c.words...)
			if text := renderError(t, req); strings.Contains(text, c.hidden) {
				t.Error(text)
			}
		})
	}
}

func TestABrokenAppIsNotRendered(t *testing.T) {
	req := one(configMap("a")).request(t)
	req.App.Error, req.App.Hint = "several apps are called shop", "name them"
	mustFail(t, req, fault.Rejected, "several apps", "name them")
}
