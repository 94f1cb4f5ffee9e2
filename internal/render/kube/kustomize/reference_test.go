package kustomize

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/kube/reference"
	"syncd.io/syncd/internal/render/repo"
)

// unpacked writes a tree, and returns its directory and what is built of it.
func unpacked(t testing.TB, file string) (root string, dirs []string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root = t.TempDir()
	for _, f := range archive.Files {
		if f.Name == "build" {
			dirs = strings.Fields(string(f.Data))
			continue
		}
		put(t, root, f.Name, f.Data)
	}
	return root, dirs
}

func put(t testing.TB, root, name string, data []byte) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// built builds a directory of a snapshot.
func built(t testing.TB, root, dir string) ([]document.Document, []string, error) {
	t.Helper()
	r, err := repo.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return Render(t.Context(), r, dir)
}

// What is built is what the program kustomize of the library's version builds.
func TestRenderAsTheReference(t *testing.T) {
	program := reference.Tool{Name: "kustomize", Module: "reference", Package: "sigs.k8s.io/kustomize/kustomize/v5"}.Program(t)
	trees, err := filepath.Glob("testdata/trees/*.txtar")
	if err != nil || len(trees) < 12 {
		t.Fatalf("%d trees, %v", len(trees), err)
	}
	for _, tree := range trees {
		root, dirs := unpacked(t, tree)
		for _, dir := range dirs {
			t.Run(strings.TrimSuffix(filepath.Base(tree), ".txtar")+"/"+dir, func(t *testing.T) {
				compare(t, program, root, dir)
			})
		}
	}
}

func compare(t *testing.T, program, root, dir string) {
	t.Helper()
	docs, _, err := built(t, root, dir)
	if err != nil {
		t.Fatalf("%v (hint: %s)", err, fault.Advice(err))
	}
	var ours []string
	for _, d := range docs {
		ours = append(ours, canonical(t, d.YAML))
		if !strings.Contains(d.Source, ".") && !strings.HasSuffix(d.Source, "Kustomization") {
			t.Errorf("an object comes from %q", d.Source)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "build", "--load-restrictor", "LoadRestrictionsNone", dir)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kustomize build: %v\n%s", err, stderr.Bytes())
	}
	var theirs []string
	for _, text := range strings.Split(string(out), "\n---\n") {
		theirs = append(theirs, canonical(t, []byte(text)))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if !slices.Equal(ours, theirs) {
		t.Errorf("ours\n%s\n\ntheirs\n%s", strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
	}
	if len(ours) == 0 {
		t.Error("nothing was built")
	}
}

// canonical is one object's JSON with sorted keys.
func canonical(t *testing.T, text []byte) string {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
