package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

// build makes the real child.
func build(t testing.TB) sandbox.Child {
	t.Helper()
	path := filepath.Join(t.TempDir(), sandbox.Program)
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c, err := sandbox.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFromCommitToObjects goes the whole way: fetch, discover, render.
func TestFromCommitToObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	snapshot := snapshot(t, child, map[string]string{"shop/compose.yaml": "services:\n  web:\n    image: example.com/web:1\n"})
	renderer := &render.Child{Sandbox: child}
	found, err := renderer.Discover(t.Context(), render.DiscoverRequest{Root: snapshot.Dir})
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Apps) != 1 || found.Apps[0].Name != "shop" || found.Apps[0].Error != "" {
		t.Fatalf("found %+v", found.Apps)
	}
	shared := &render.Shared{Root: snapshot.Dir}
	answer, err := renderer.Render(t.Context(), render.Request{Shared: shared, App: found.Apps[0]})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Objects) == 0 || len(answer.Inputs) == 0 {
		t.Errorf("got %+v", answer)
	}
	_, err = renderer.Render(t.Context(), render.Request{Shared: shared, App: render.App{Name: "none", Dir: "none"}})
	if fault.Of(err) != fault.Rejected {
		t.Errorf("an app that is not there: %v (%v)", err, fault.Of(err))
	}
}

// TestFromCommitToObjectsOfACluster goes the same way for manifests, a kustomization
// and a chart, within the child's limits and in its empty environment.
func TestFromCommitToObjectsOfACluster(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	snapshot := snapshot(t, child, map[string]string{
		"plain/a.yaml":              object,
		"built/kustomization.yaml":  "namePrefix: x-\nresources: [../base]\n",
		"base/kustomization.yaml":   "resources: [a.yaml]\n",
		"base/a.yaml":               object,
		"chart/Chart.yaml":          "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"chart/templates/a.yaml":    object + "data: {k: {{ .Release.Name }}}\n",
		"docker/compose.yaml":       "services: {web: {image: a}}\n",
		"outside/kustomization.yml": "resources: [https://example.com/a.yaml]\n",
	})
	renderer := &render.Child{Sandbox: child}
	found, err := renderer.Discover(t.Context(), render.DiscoverRequest{Root: snapshot.Dir, Kubernetes: true})
	if err != nil {
		t.Fatal(err)
	}
	got, shared := map[string]string{}, &render.Shared{Root: snapshot.Dir, Kubernetes: true}
	for _, app := range found.Apps {
		answer, err := renderer.Render(t.Context(), render.Request{Shared: shared, App: app})
		switch {
		case err != nil:
			got[app.Name] = fault.Of(err).String()
		case len(answer.Objects) == 1:
			got[app.Name] = answer.Objects[0].Key.String()
		}
	}
	want := map[string]string{"plain": "ConfigMap/default/a", "built": "ConfigMap/default/x-a", "chart": "ConfigMap/default/a", "outside": "rejected"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// snapshot commits files and fetches the commit with the child.
func snapshot(t *testing.T, child sandbox.Child, files map[string]string) source.Snapshot {
	t.Helper()
	repo := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(repo, name), content)
	}
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=Ann", "-c", "user.email=a@example.com", "commit", "-q", "-m", "first"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = repo
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	r, err := source.Open(source.Options{URL: repo, Ref: config.Ref{Branch: "main"}, Dir: t.TempDir(), Child: child})
	if err != nil {
		t.Fatal(err)
	}
	commit, err := r.Resolve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := r.Load(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestPeopleGetAUsageLine(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	out, err := exec.Command(child.Path, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "syncd-render ") {
		t.Errorf("version: %q, %v", out, err)
	}
	out, err = exec.Command(child.Path).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "usage: syncd-render bundle|chart|discover|draft|fetch|history|import|introduce|render|resolve|tags ") {
		t.Errorf("no arguments: %q, %v", out, err)
	}
}
