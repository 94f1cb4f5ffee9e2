package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

// No manifest comes from outside the repository, and no error shows what is there.
func TestNoPathLeavesTheRepository(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte(configMap("0utside")), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]files{
		"absolute link":   {"app/a.yaml": "-> " + outside},
		"climbing link":   {"app/a.yaml": "-> ../../x.yaml"},
		"link of a link":  {"app/a.yaml": "-> b", "app/b": "-> " + outside},
		"loop":            {"app/a.yaml": "-> a.yaml"},
		"broken link":     {"app/a.yaml": "-> nothing.yaml"},
		"a directory":     {"app/a.yaml/b.txt": "x", "app/b.yaml": "-> a.yaml"},
		"as the settings": {"app/kustomization.yaml": "-> " + outside},
	} {
		t.Run(name, func(t *testing.T) {
			req := f.request(t)
			_, err := Render(t.Context(), req)
			if err == nil {
				t.Fatal("rendered")
			}
			judge(t, req, err, fault.Rejected, "app/")
			if strings.Contains(err.Error(), "0utside") {
				t.Error(err)
			}
		})
	}
}

func TestTheAppsDirectoryMayBeALink(t *testing.T) {
	req := files{"real/sub/a.yaml": configMap("a"), "app/link": "-> ../real"}.request(t)
	req.App.Config.Kubernetes.Path = "link/sub"
	a := mustRender(t, req)
	if keys(a) != "ConfigMap/default/a" || !strings.Contains(" "+strings.Join(a.Inputs, " ")+" ", " real/sub/ ") || !strings.Contains(" "+strings.Join(a.Inputs, " ")+" ", " app/link ") {
		t.Errorf("%s, inputs %v", keys(a), a.Inputs)
	}
	out := files{"app/link": "-> /etc", "app/a.yaml": configMap("a")}.request(t)
	out.App.Config.Kubernetes.Path = "link"
	mustFail(t, out, fault.Rejected, "kubernetes.path", "leaves the repository")
}

func FuzzManifests(f *testing.F) {
	f.Add(configMap("a"))
	f.Add("%YAML 1.1\n--- # x\n" + manifestOf("apps/v1", "Deployment", "web", "  labels: {a: b}", "spec: {replicas: 1}") + "...\n---\n---\n" + configMap("b"))
	f.Add("apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: aGk=}}\n- {<<: *a, metadata: {name: b}}\n")
	f.Add("{\n\t\"apiVersion\": \"v1\", \"kind\": \"ConfigMapList\", \"items\": [{\"metadata\": {\"name\": \"a\"}}]\n}")
	f.Add("\ufeffapiVersion: v1\r\nkind: Namespace\r\nmetadata:\r\n  name: a\r\n  annotations: {syncd.io/wave: \"-1\"}\r\n")
	f.Add(bomb())
	f.Add("? [a]\n: b\n")
	f.Add("a: !!binary x\nb: !!float nan\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "-> ") {
			return // means a symlink to the helper
		}
		req := one(text).request(t)
		req.MaxObjects = 100
		answer, err := Render(t.Context(), req)
		if err != nil {
			if c := fault.Of(err); c != fault.Rejected && c != fault.Blocked {
				t.Errorf("class %s: %v", c, err)
			}
			if strings.Contains(err.Error(), req.Root) {
				t.Errorf("the error tells where the snapshot is: %v", err)
			}
			return
		}
		if len(answer.Objects) == 0 || len(answer.Objects) > req.MaxObjects {
			t.Errorf("%d objects", len(answer.Objects))
		}
		again, err := Render(t.Context(), req)
		if err != nil || string(marshal(t, again)) != string(marshal(t, answer)) {
			t.Errorf("the same request gives something else: %v", err)
		}
		seen := map[string]bool{}
		for _, o := range answer.Objects {
			if seen[o.Key.String()] || o.Key.Name == "" || o.Group == "" {
				t.Errorf("object %+v", o)
			}
			seen[o.Key.String()] = true
		}
	})
}

func FuzzDiscover(f *testing.F) {
	f.Add("kubernetes: {path: sub}\n", configMap("a"), "resources: [../b]\n")
	f.Add("{kubernetes: {}}", "---\n", "kind: Component\n")
	f.Add(bomb(), bomb(), bomb())
	f.Fuzz(func(t *testing.T, settings, manifest, kustomization string) {
		for _, text := range []string{settings, manifest, kustomization} {
			if strings.HasPrefix(text, "-> ") {
				return
			}
		}
		root := files{"a/.syncd.yaml": settings, "a/m.yaml": manifest, "c/kustomization.yaml": kustomization, "d/x.yaml": configMap("d")}.write(t)
		d, err := Discover(t.Context(), render.DiscoverRequest{Root: root, Kubernetes: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, app := range d.Apps {
			if app.Name == "" || strings.Contains(app.Error, root) {
				t.Errorf("%+v", app)
			}
		}
	})
}
