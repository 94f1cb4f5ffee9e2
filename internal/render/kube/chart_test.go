package kube

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	fetched "syncd.io/syncd/internal/source/chart"
)

// chart is a small one; its ConfigMap shows what it is rendered with.
func chart() files {
	return files{
		"app/Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"app/values.yaml": "tag: \"1\"\nport: 80\n",
		"app/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-web\n  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}\n" +
			"data:\n  tag: {{ .Values.tag | quote }}\n  port: {{ .Values.port | quote }}\n  namespace: {{ .Release.Namespace }}\n",
	}
}

func TestAChartOfTheRepository(t *testing.T) {
	f := chart().with(files{"env/prod.yaml": "port: 8080\ntag: \"2\"\n", "charts/.keep": ""})
	req := f.request(t)
	req.App.Config.Kubernetes = config.KubernetesApp{Namespace: "ns", Helm: config.Helm{Values: []string{"../env/${ENV}.yaml"}, Set: map[string]string{"tag": "${TAG}"}}}
	req.Values, req.Secret = map[string]string{"ENV": "prod", "TAG": "hunter2", "OTHER": "x"}, []string{"TAG"}
	a := mustRender(t, req)
	o := object(t, a, "ConfigMap/ns/shop-web")
	want := `{"apiVersion":"v1","data":{"namespace":"ns","port":"8080","tag":"hunter2"},"kind":"ConfigMap","metadata":{"name":"shop-web","namespace":"ns"}}`
	if string(o.Spec) != want {
		t.Errorf("got  %s\nwant %s", o.Spec, want)
	}
	if got := strings.Join(o.Sensitive, " "); got != "/data/tag" {
		t.Errorf("sensitive are %s", got)
	}
	if got := strings.Join(a.Variables, " "); got != "ENV TAG" {
		t.Errorf("variables %s", got)
	}
	inputs := " " + strings.Join(a.Inputs, " ") + " "
	for _, name := range []string{"app/", "env/prod.yaml", "app/Chart.yaml"} {
		if !strings.Contains(inputs, " "+name+" ") {
			t.Errorf("inputs lack %s: %s", name, inputs)
		}
	}
}

// pack is a chart's archive.
func pack(t *testing.T, f files) string {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	w := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		header := &tar.Header{Name: "web/" + strings.TrimPrefix(name, "app/"), Mode: 0o644, Size: int64(len(f[name]))}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[name])); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, zipped} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "web.tgz")
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAChartThatWasFetched(t *testing.T) {
	req := files{"app/.syncd.yaml": "x", "app/prod.yaml": "port: 1\n"}.request(t)
	req.Chart = pack(t, chart())
	req.App.Config.Kubernetes.Helm = config.Helm{Release: "front", Values: []string{"prod.yaml"}, Chart: config.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}}
	a := mustRender(t, req)
	if o := object(t, a, "ConfigMap/default/front-web"); !strings.Contains(string(o.Spec), `"port":"1"`) {
		t.Errorf("%s", o.Spec)
	}
	req.Chart = filepath.Join(t.TempDir(), "none.tgz")
	if text := renderError(t, req); !strings.Contains(text, "web") || strings.Contains(text, filepath.Dir(req.Chart)) {
		t.Error(text)
	}
}

// What may be fetched may be rendered, and what is larger is the author's to mend.
func TestAChartMayBeAsLargeAsOneThatIsFetched(t *testing.T) {
	for size, want := range map[int64]string{fetched.MaxArchive: "gzip", fetched.MaxArchive + 1: "larger than 50 MiB"} {
		req := files{"app/x.txt": "x"}.request(t)
		req.App.Config.Kubernetes.Helm.Chart = config.Chart{Repo: "https://charts.example.com", Name: "web", Version: "1.0.0"}
		req.Chart = filepath.Join(t.TempDir(), "web.tgz")
		if err := os.WriteFile(req.Chart, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(req.Chart, size); err != nil {
			t.Fatal(err)
		}
		mustFail(t, req, fault.Rejected, want)
	}
}

func TestMistakesOfCharts(t *testing.T) {
	broken := func(text string) files { return chart().with(files{"app/templates/b.yaml": text}) }
	for name, c := range map[string]struct {
		files files
		helm  config.Helm
		words []string
	}{
		"template":         {broken("a: {{ .Values.x"), config.Helm{}, []string{"app: ", "templates/b.yaml"}},
		"object":           {broken("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A}\n"), config.Helm{}, []string{"app/templates/b.yaml: ConfigMap A: metadata.name"}},
		"twice":            {broken("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-web}\n"), config.Helm{}, []string{"app/templates/b.yaml", "app/templates/a.yaml", "there twice"}},
		"no values":        {chart(), config.Helm{Values: []string{"x.yaml"}}, []string{"app/.syncd.yaml: kubernetes.helm.values", "app/x.yaml"}},
		"values climb":     {chart(), config.Helm{Values: []string{"../../x.yaml"}}, []string{"kubernetes.helm.values", "leaves the repository"}},
		"values' variable": {chart(), config.Helm{Values: []string{"${X}"}}, []string{"kubernetes.helm.values", "X has no value", "host.vars"}},
		"set's variable":   {chart(), config.Helm{Set: map[string]string{"a.b": "${X}"}}, []string{"kubernetes.helm.set.a.b", "X has no value"}},
		"kustomization":    {chart().with(files{"app/kustomization.yaml": "resources: []"}), config.Helm{Chart: config.Chart{Repo: "oci://x"}}, []string{"app/.syncd.yaml: kubernetes.helm.chart", "app/kustomization.yaml"}},
		"values for none":  {one(configMap("a")), config.Helm{Values: []string{"x.yaml"}}, []string{"app/.syncd.yaml: kubernetes.helm.values: app has no chart", "kubernetes.path"}},
		"set for none":     {one(configMap("a")), config.Helm{Set: map[string]string{"a": "b"}}, []string{"kubernetes.helm.set: app has no chart"}},
		"release of none":  {one(configMap("a")), config.Helm{Release: "a"}, []string{"kubernetes.helm.release: app has no chart"}},
		"set for others":   {chart().with(files{"app/kustomization.yaml": "resources: []"}), config.Helm{Set: map[string]string{"a": "b"}}, []string{"kubernetes.helm.set: app/kustomization.yaml is a kustomization"}},
		"two charts":       {chart(), config.Helm{Chart: config.Chart{Repo: "oci://x", Name: "web"}}, []string{"kubernetes.helm.chart: app/Chart.yaml is a chart too", "remove it"}},
		"a chart's digest": {chart(), config.Helm{Chart: config.Chart{Digest: "sha256:x"}}, []string{"kubernetes.helm.chart: app/Chart.yaml is a chart too"}},
		"a version alone":  {one(configMap("a")), config.Helm{Chart: config.Chart{Version: "1.0.0"}}, []string{"kubernetes.helm.chart.repo: missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.files.request(t)
			req.App.Config.Kubernetes.Helm = c.helm
			mustFail(t, req, fault.Rejected, c.words...)
		})
	}
}

// A chart without one of its files would be another chart.
func TestARefusedFileOfAChart(t *testing.T) {
	req := chart().request(t)
	req.Refused = map[string]string{"app/files/big.bin": "larger than 5 MiB"}
	mustFail(t, req, fault.Rejected, "app/files/big.bin", "larger than 5 MiB")
}

// Links in a chart lead nowhere outside the repository.
func TestChartsAreConfined(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte("k: 0utside\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]files{
		"a file":      chart().with(files{"app/values.yaml": "-> " + outside}),
		"a directory": chart().with(files{"app/files": "-> " + filepath.Dir(outside)}),
		"climbing":    chart().with(files{"app/templates/x.yaml": "-> ../../../x"}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Render(t.Context(), f.request(t))
			if err == nil || strings.Contains(err.Error(), "0utside") {
				t.Errorf("got %v", err)
			}
		})
	}
	inside := chart().with(files{"app/values.yaml": "-> ../common/values.yaml", "common/values.yaml": "tag: \"3\"\nport: 3\n"})
	a := mustRender(t, inside.request(t))
	if o := object(t, a, "ConfigMap/default/shop-web"); !strings.Contains(string(o.Spec), `"tag":"3"`) || !strings.Contains(" "+strings.Join(a.Inputs, " "), " common/values.yaml") {
		t.Errorf("%s, inputs %v", o.Spec, a.Inputs)
	}
}
