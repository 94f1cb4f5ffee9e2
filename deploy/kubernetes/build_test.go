// Package kubernetes holds no program: these tests build what lies here with the
// project's own renderer, and deploy it to a real cluster.
package kubernetes

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/kube"
)

// tree is one object as it is applied.
type tree map[string]any

// at returns what stands below the keys; nil where nothing does.
func (t tree) at(keys ...string) any {
	var here any = map[string]any(t)
	for _, key := range keys {
		m, ok := here.(map[string]any)
		if !ok {
			return nil
		}
		here = m[key]
	}
	return here
}

func (t tree) text(keys ...string) string {
	s, _ := t.at(keys...).(string)
	return s
}

// title is KIND/NAME.
func (t tree) title() string { return t.text("kind") + "/" + t.text("metadata", "name") }

// build renders the directory app, made of files, beside a copy of what lies here,
// which it calls ../base.
func build(t *testing.T, files map[string]string) []tree {
	t.Helper()
	root := t.TempDir()
	write := func(name string, data []byte) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		write(filepath.Join("base", path), data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(filepath.Join("app", name), []byte(text))
	}
	answer, err := kube.Render(t.Context(), render.Request{
		Shared: &render.Shared{Root: root, Kubernetes: true, MaxObjects: 100, MaxBytes: 10 << 20},
		App:    render.App{Name: "app", Dir: "app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out []tree
	for _, o := range answer.Objects {
		var one tree
		if err := json.Unmarshal(o.Spec, &one); err != nil {
			t.Fatal(err)
		}
		out = append(out, one)
	}
	return out
}

func find(t *testing.T, objects []tree, kind string) tree {
	t.Helper()
	i := slices.IndexFunc(objects, func(o tree) bool { return o.text("kind") == kind })
	if i < 0 {
		t.Fatalf("there is no %s", kind)
	}
	return objects[i]
}

func titles(objects []tree) []string {
	var out []string
	for _, o := range objects {
		title := o.title()
		if o.text("kind") == "ConfigMap" { // its name ends with a hash
			title = "ConfigMap"
		}
		out = append(out, title)
	}
	slices.Sort(out)
	return out
}

func TestWhatIsDeployed(t *testing.T) {
	base := []string{"ConfigMap", "Deployment/syncd", "Namespace/syncd", "PodDisruptionBudget/syncd", "Role/syncd", "RoleBinding/syncd", "ServiceAccount/syncd"}
	for overlay, more := range map[string][]string{
		"":                    nil,
		"../base/all":         {"ClusterRoleBinding/syncd-all"},
		"../base/impersonate": {"Role/syncd-impersonate", "RoleBinding/syncd-impersonate"},
	} {
		text := "resources: [../base]\n"
		if overlay != "" {
			text += "components: [" + overlay + "]\n"
		}
		got := titles(build(t, map[string]string{"kustomization.yaml": text}))
		want := slices.Sorted(slices.Values(append(slices.Clone(base), more...)))
		if !slices.Equal(got, want) {
			t.Errorf("with %q:\n got %v\nwant %v", overlay, got, want)
		}
	}
}

func TestTheBaseGrantsNothingOutsideOfItsNamespace(t *testing.T) {
	objects := build(t, map[string]string{"kustomization.yaml": "resources: [../base]\n"})
	for _, o := range objects {
		if o.text("kind") != "Namespace" && o.text("metadata", "namespace") != "syncd" {
			t.Errorf("%s is in namespace %q", o.title(), o.text("metadata", "namespace"))
		}
	}
	rules, _ := json.Marshal(find(t, objects, "Role").at("rules"))
	if strings.Contains(string(rules), "*") {
		t.Errorf("the role grants %s", rules)
	}
}

func TestTheSettingsAreValidAndFitTheDeployment(t *testing.T) {
	objects := build(t, map[string]string{"kustomization.yaml": "resources: [../base]\n"})
	data, _ := find(t, objects, "ConfigMap").at("data").(map[string]any)
	text, _ := data["syncd.yaml"].(string)
	host, err := config.DecodeHost("syncd.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	host = host.Defaults()
	if host.Kubernetes == nil || !strings.HasSuffix(host.Metrics.Listen, ":9185") {
		t.Errorf("the settings are %+v", host)
	}
	pod, _ := json.Marshal(find(t, objects, "Deployment").at("spec", "template"))
	for _, path := range []string{host.State, filepath.Dir(host.Socket), "/tmp", "/etc/syncd"} {
		if !strings.Contains(string(pod), `"mountPath":"`+path+`"`) {
			t.Errorf("nothing is mounted at %s", path)
		}
	}
	if name := find(t, objects, "ConfigMap").text("metadata", "name"); !strings.Contains(string(pod), `"configMap":{"name":"`+name+`"}`) {
		t.Errorf("the pod does not mount %s", name)
	}
}

func TestTheRolesAreTheAgentsWhereverItIs(t *testing.T) {
	for namespace, text := range map[string]string{
		"syncd":  "resources: [../base]\ncomponents: [../base/all, ../base/impersonate]\n",
		"gitops": "namespace: gitops\nresources: [../base]\ncomponents: [../base/all]\n",
	} {
		for _, o := range build(t, map[string]string{"kustomization.yaml": text}) {
			switch kind := o.text("kind"); {
			case strings.HasSuffix(kind, "Binding"):
				subjects, _ := json.Marshal(o.at("subjects"))
				if want := `[{"kind":"ServiceAccount","name":"syncd","namespace":"` + namespace + `"}]`; string(subjects) != want {
					t.Errorf("%s in %s binds %s", o.title(), namespace, subjects)
				}
			case o.title() == "Role/syncd":
				rules, _ := json.Marshal(o.at("rules"))
				if !strings.Contains(string(rules), `"resourceNames":["syncd"]`) {
					t.Errorf("the role knows another lease: %s", rules)
				}
			case kind == "Namespace" && o.text("metadata", "name") != namespace:
				t.Errorf("the namespace is called %s", o.title())
			}
		}
	}
}
