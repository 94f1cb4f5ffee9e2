package kube

import (
	"fmt"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
)

func discover(t *testing.T, f files, path string) []render.App {
	t.Helper()
	d, err := Discover(t.Context(), render.DiscoverRequest{Root: f.write(t), Path: path, Kubernetes: true, Values: map[string]string{"ENV": "prod"}})
	if err != nil {
		t.Fatal(err)
	}
	return d.Apps
}

// list prints apps as DIR=NAME, with a ! where there is an error.
func list(apps []render.App) string {
	var out []string
	for _, app := range apps {
		mark := ""
		if app.Error != "" {
			mark = "!"
		}
		out = append(out, fmt.Sprintf("%s=%s%s", app.Dir, app.Name, mark))
	}
	return strings.Join(out, " ")
}

const composeFile = "services: {web: {image: a}}\n"

func TestDiscoverFindsEveryAppOnce(t *testing.T) {
	apps := discover(t, files{
		"README.md":                               "x",
		"plain/a.yaml":                            configMap("a"),
		"plain/sub/kustomization.yaml":            "resources: []\n", // part of plain
		"json/a.json":                             "{\n  \"kind\": \"ConfigMap\",\n  \"apiVersion\": \"v1\"\n}\n",
		"second/a.yaml":                           "# only a comment\n---\n---\n" + configMap("a"),
		"My Kust!/Kustomization":                  "resources: []\n",
		"chart/Chart.yaml":                        "name: chart\nversion: 1.0.0\n",
		"chart/templates/a.yaml":                  configMap("a"),
		"lib/Chart.yaml":                          "name: lib\ntype: library\nversion: 1.0.0\n",
		"settings/.syncd.yaml":                    "name: from-settings\nkubernetes: {path: deep/er}\n",
		"settings/deep/er/a.yaml":                 configMap("a"),
		"docker/compose.yaml":                     composeFile,
		"docker/k8s/a.yaml":                       configMap("a"), // below what is an engine's
		"both/compose.yaml":                       composeFile,
		"both/.syncd.yaml":                        "kubernetes: {}\n",
		"listed/.syncd.yaml":                      "compose: [a.yaml]\n",
		"listed/a.yaml":                           configMap("a"),
		"values/values.yaml":                      "image: {apiVersion: 1, kind: 2}\n",
		".github/a.yaml":                          configMap("a"),
		"nothing/.syncd.yaml":                     "name: nothing\n",
		"nothing/below/kustomization.yml":         "resources: []\n",
		strings.Repeat("d/", 21) + "compose.yaml": composeFile,
	}, "")
	want := "My Kust!=mykust both=both chart=chart docker/k8s=k8s json=json nothing/below=below plain=plain second=second settings=from-settings"
	if got := list(apps); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What others are built on is no app of its own, unless its settings say so.
func TestBasesAreNoApps(t *testing.T) {
	apps := discover(t, files{
		"overlays/prod/kustomization.yaml":    "resources: [../../base, ../../common/cm.yaml]\ncomponents: [../../extra]\n",
		"overlays/staging/kustomization.yaml": "bases: [../../base]\n",
		"base/kustomization.yaml":             "resources: [../common, a.yaml]\n",
		"base/a.yaml":                         configMap("a"),
		"common/kustomization.yaml":           "resources: [../said]\n",
		"said/kustomization.yaml":             "resources: []\n",
		"said/.syncd.yaml":                    "kubernetes: {}\n",
		"extra/kustomization.yaml":            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n",
		"unused/kustomization.yaml":           "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n",
		"common/cm.yaml":                      configMap("a"),
		"app/.syncd.yaml":                     "kubernetes: {path: \"../charts/web-${ENV}\"}\n",
		"charts/web-prod/Chart.yaml":          "name: web\nversion: 1.0.0\n",
		"charts/web-test/Chart.yaml":          "name: web\nversion: 1.0.0\n",
	}, "")
	want := "app=app charts/web-test=web-test overlays/prod=prod overlays/staging=staging said=said"
	if got := list(apps); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDiscoverBelowAPath(t *testing.T) {
	f := files{"clusters/a/a.yaml": configMap("a"), "other/a.yaml": configMap("a")}
	if got := list(discover(t, f, "clusters")); got != "clusters/a=a" {
		t.Errorf("got %s", got)
	}
	for _, path := range []string{"../x", "/etc", "nothing", "clusters/a/a.yaml"} {
		_, err := Discover(t.Context(), render.DiscoverRequest{Root: f.write(t), Path: path})
		if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), path) || fault.Advice(err) == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
	if apps := discover(t, files{"README.md": "x"}, ""); len(apps) != 0 {
		t.Errorf("%+v", apps)
	}
}

func TestOneBrokenAppBreaksNoOther(t *testing.T) {
	long := strings.Repeat("n", 64)
	apps := discover(t, files{
		"good/a.yaml":                 configMap("a"),
		"settings/.syncd.yaml":        "kubernetes: {path: [}\nname: kept\n",
		"flow/.syncd.yaml":            "kubernetes: {path: [}\n",
		"unknown/.syncd.yaml":         "kubernetes: {pathh: a}\n",
		"outside/.syncd.yaml":         "-> ../../x",
		"outside/a.yaml":              configMap("a"),
		"!!!/a.yaml":                  configMap("a"),
		"long/a.yaml":                 configMap("a"),
		"long/.syncd.yaml":            "name: " + long + "\n",
		"broken/a.yaml":               "apiVersion: v1\nkind: ConfigMap\nmetadata: {", // found; what is wrong is told when it is rendered
		"one/a.yaml":                  configMap("a"),
		"one/.syncd.yaml":             "name: same\n",
		"two/a.yaml":                  configMap("a"),
		"two/.syncd.yaml":             "name: same\n",
		"kustomization/Kustomization": "\t",
	}, "")
	want := "!!!=unnamed! broken=broken flow=flow! good=good kustomization=kustomization long=" + long[:63] + "! one=same! outside=outside! settings=kept! two=same! unknown=unknown!"
	if got := list(apps); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, app := range apps {
		if app.Error != "" && app.Dir != "two" && !strings.Contains(app.Error, app.Dir) || strings.Contains(app.Error, "/tmp/") {
			t.Errorf("%s: %s", app.Dir, app.Error)
		}
	}
}

// What is read of kustomizations to find the apps has a bound for all of them, and
// what goes beyond it is an error of its own.
func TestKustomizationsShareWhatReadingMayTake(t *testing.T) {
	root := files{"a/kustomization.yaml": "resources: [../b]\n"}.write(t)
	f, err := find.Open(render.DiscoverRequest{Root: root, Kubernetes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Repo.Close()
	d := discovery{Find: f}
	for bytes, want := range map[int64]string{10: "too large to be read", 20 + costOfPath: "", 20: "too large to be read"} {
		c := &find.Candidate{App: render.App{Dir: "a"}}
		d.uses(c, find.NewShare(bytes, "kustomizations"))
		if got := fmt.Sprint(c.Err); want != "" && !strings.Contains(got, want) || want == "" && c.Err != nil {
			t.Errorf("%d bytes: %s", bytes, got)
		}
	}
}

func TestAnAppAtTheRootMustHaveAName(t *testing.T) {
	apps := discover(t, files{"a.yaml": configMap("a")}, "")
	if len(apps) != 1 || !strings.Contains(apps[0].Error, "has no name") || !strings.Contains(apps[0].Hint, "name:") {
		t.Errorf("%+v", apps)
	}
	apps = discover(t, files{"a.yaml": configMap("a"), ".syncd.yaml": "name: shop\n"}, "")
	if list(apps) != ".=shop" {
		t.Errorf("%+v", apps)
	}
}

// What was too large to be written is an app in error, not one that is gone.
func TestARefusedManifestIsAnApp(t *testing.T) {
	f := files{"a/README.md": "x", "b/a.yaml": configMap("a")}
	refused := map[string]string{"a/a.yaml": "larger than 5 MiB"}
	d, err := Discover(t.Context(), render.DiscoverRequest{Root: f.write(t), Refused: refused})
	if err != nil || list(d.Apps) != "a=a b=b" {
		t.Fatalf("%s, %v", list(d.Apps), err)
	}
	req := f.request(t)
	req.App, req.Refused = d.Apps[0], refused
	mustFail(t, req, fault.Rejected, "a/a.yaml", "larger than 5 MiB")
}
