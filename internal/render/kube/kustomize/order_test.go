package kustomize

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// told are kustomizations that tell kustomize what to know of kinds, and one that goes
// by what it knows of itself: containers are merged by their name.
func told(t *testing.T) (root string, dirs []string) {
	t.Helper()
	const containers = `{"definitions": {"v1.Deployment": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}], "properties": {"spec": {"type": "object", "properties": {"template": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"containers": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "image", "x-kubernetes-patch-strategy": "merge"}}}}}}}}}}}`
	app := func(more string) string {
		return "resources: [web.yaml]\npatches: [{path: patch.yaml}]\n" + more
	}
	files := map[string]string{
		"plain/kustomization.yaml":   app(""),
		"version/kustomization.yaml": app("openapi: {version: v1.21.2}\n"),
		"unknown/kustomization.yaml": app("openapi: {version: v9}\n"),
		"broken/kustomization.yaml":  app("openapi: {path: schema.json}\n"),
		"broken/schema.json":         `{"definitions": {"a": {"type": 7}}}`,
		"own/kustomization.yaml":     app("openapi: {path: schema.json}\n"),
		"own/schema.json":            containers,
		"base/kustomization.yaml":    "resources: [../own]\n",
		"other/kustomization.yaml":   app("openapi: {path: schema.json}\n"),
		"other/schema.json":          `{"definitions": {}}`,
	}
	root = t.TempDir()
	for name, text := range files {
		put(t, root, name, []byte(text))
		dir := filepath.Dir(name)
		put(t, root, dir+"/web.yaml", []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}}\n"))
		put(t, root, dir+"/patch.yaml", []byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: a, image: z}, {name: c, image: y}]}}}\n"))
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	return root, slices.Compact(dirs)
}

// outcome is what comes of building, in one text.
func outcome(t *testing.T, root, dir string) string {
	t.Helper()
	docs, notes, err := built(t, root, dir)
	if err != nil {
		return "error: " + err.Error()
	}
	var out strings.Builder
	for _, d := range docs {
		out.WriteString(d.Source + "\n" + string(d.YAML) + "\n")
	}
	return out.String() + strings.Join(notes, "\n")
}

// What an app is built to does not depend on the apps that were built before it in the
// same process.
func TestWhatIsBuiltBeforeChangesNothing(t *testing.T) {
	root, dirs := told(t)
	alone := map[string]string{}
	for _, dir := range dirs {
		openapi.ResetOpenAPI() // as in a new process
		alone[dir] = outcome(t, root, dir)
	}
	if alone["plain"] == alone["own"] || alone["own"] == alone["other"] || strings.HasPrefix(alone["own"], "error") {
		t.Fatalf("the schemas make no difference, and so show nothing: %v", alone)
	}
	if !strings.HasPrefix(alone["broken"], "error") || !strings.HasPrefix(alone["unknown"], "error") {
		t.Fatalf("bad schemas are used: %q, %q", alone["broken"], alone["unknown"])
	}
	openapi.ResetOpenAPI()
	for _, before := range dirs {
		for _, dir := range dirs {
			outcome(t, root, before)
			if got := outcome(t, root, dir); got != alone[dir] {
				t.Errorf("%s after %s: got\n%s\nwant\n%s", dir, before, got, alone[dir])
			}
		}
	}
}

// What kustomize knows of itself is read when it is first asked for. Kinds are the same
// before and after.
func TestKindsAreTheSameBeforeAndAfterTheSchemaIsRead(t *testing.T) {
	openapi.ResetOpenAPI()
	t.Cleanup(openapi.ResetOpenAPI)
	type scope struct{ namespaced, known bool }
	look := func(kinds []kyaml.TypeMeta) map[kyaml.TypeMeta]scope {
		out := map[kyaml.TypeMeta]scope{}
		for _, kind := range kinds {
			var s scope
			s.namespaced, s.known = openapi.IsNamespaceScoped(kind)
			out[kind] = s
		}
		return out
	}
	kinds := kindsOf(openapi.Schema().Definitions)
	if len(kinds) < 100 {
		t.Fatalf("only %d kinds", len(kinds))
	}
	after := look(kinds)
	openapi.ResetOpenAPI()
	if before := look(kinds); !maps.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
}

func kindsOf(all spec.Definitions) []kyaml.TypeMeta {
	var out []kyaml.TypeMeta
	for _, d := range all {
		kinds, _ := d.Extensions["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			k, _ := kind.(map[string]any)
			group, _ := k["group"].(string)
			version, _ := k["version"].(string)
			name, _ := k["kind"].(string)
			if group != "" {
				version = group + "/" + version
			}
			out = append(out, kyaml.TypeMeta{APIVersion: version, Kind: name})
		}
	}
	return out
}
