package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
)

const renderers = "../../internal/render/"

// assembled is a repository of all the apps that the tests of the renderers have, and
// of some that tell the libraries what could stay in them.
func assembled(t *testing.T) (shared *render.Shared, onCluster, onEngine []string) {
	t.Helper()
	root := t.TempDir()
	trees, err := filepath.Glob(renderers + "kube/kustomize/testdata/trees/*.txtar")
	if err != nil || len(trees) < 12 {
		t.Fatalf("%d trees, %v", len(trees), err)
	}
	for _, tree := range trees {
		archive, err := txtar.ParseFile(tree)
		if err != nil {
			t.Fatal(err)
		}
		top := "trees/" + strings.TrimSuffix(filepath.Base(tree), ".txtar")
		for _, f := range archive.Files {
			if f.Name != "build" {
				write(t, filepath.Join(root, top, f.Name), string(f.Data))
				continue
			}
			for dir := range strings.FieldsSeq(string(f.Data)) {
				onCluster = append(onCluster, top+"/"+dir)
			}
		}
	}
	for to, from := range map[string]string{"charts": renderers + "kube/helm/testdata/charts", "plain": renderers + "kube/testdata/shop", "examples": "../../examples/repo"} {
		if err := os.CopyFS(filepath.Join(root, to), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{"charts/*", "plain/*", "examples/kubernetes/*", "examples/kubernetes/shop/overlays/*"} {
		onCluster = append(onCluster, globbed(t, root, pattern)...)
	}
	for name, text := range lasting() {
		write(t, filepath.Join(root, name), text)
		onCluster = append(onCluster, filepath.Dir(name))
	}
	for name, text := range map[string]string{
		"engine/old/compose.yaml":    "version: '3'\nservices: {web: {image: 'a:1', environment: [A=$TAG]}}\n",
		"engine/older/compose.yaml":  "version: '2.1'\nservices: {web: {image: 'a:1'}}\n",
		"engine/broken/compose.yaml": "services: {web: {imagee: 'a:1'}}\n",
	} {
		write(t, filepath.Join(root, name), text)
		onEngine = append(onEngine, filepath.Dir(name))
	}
	onEngine = append(onEngine, "examples/shop", "examples/blog", "nowhere")
	shared = &render.Shared{Root: root, Values: map[string]string{"TAG": "v7"}, Tracked: map[string]string{}, MaxObjects: 5000, MaxBytes: 10 << 20}
	if err := fs.WalkDir(os.DirFS(root), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			shared.Tracked[path] = "100644 0123"
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(onCluster)
	return shared, slices.Compact(onCluster), onEngine
}

// lasting are kustomizations that bring schemas of kinds, which kustomize keeps in its
// process, and one that goes by those that it has.
func lasting() map[string]string {
	const web = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: x}, {name: b, image: y}]}}}\n"
	const patched = "resources: [web.yaml]\npatches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {template: {spec: {containers: [{name: a, image: z}]}}}}'}]\n"
	const byImage = `{"definitions": {"v1.Deployment": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}], "properties": {"spec": {"type": "object", "properties": {"template": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"containers": {"type": "array", "items": {"type": "object"}, "x-kubernetes-patch-merge-key": "image", "x-kubernetes-patch-strategy": "merge"}}}}}}}}}}}`
	return map[string]string{
		"lasting/plain/kustomization.yaml": patched, "lasting/plain/web.yaml": web,
		"lasting/own/kustomization.yaml": patched + "openapi: {path: schema.json}\n", "lasting/own/web.yaml": web, "lasting/own/schema.json": byImage,
		"lasting/none/kustomization.yaml": patched + "openapi: {path: schema.json}\n", "lasting/none/web.yaml": web, "lasting/none/schema.json": `{"definitions": {}}`,
		"lasting/base/kustomization.yaml": "resources: [../own]\n",
	}
}

func globbed(t *testing.T, root, pattern string) []string {
	t.Helper()
	dirs, err := fs.Glob(os.DirFS(root), pattern)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("%s: %v, %v", pattern, dirs, err)
	}
	return dirs
}

// rendered is what one child answers for apps, in this order.
func rendered(t *testing.T, child sandbox.Child, shared *render.Shared, dirs []string) map[string]string {
	t.Helper()
	batch := render.Batch{Shared: shared}
	for _, dir := range dirs {
		batch.Requests = append(batch.Requests, render.Request{App: render.App{Name: filepath.Base(dir), Dir: dir}})
	}
	out, next := map[string]string{}, 0
	err := sandbox.CallEach(t.Context(), child, "render", batch, func(answer json.RawMessage, err error) error {
		out[dirs[next]] = string(answer)
		if err != nil {
			out[dirs[next]] = fmt.Sprintf("%v (%v, hint %q)", err, fault.Of(err), fault.Advice(err))
		}
		next++
		return nil
	}, sandbox.Limits{Time: time.Minute, Memory: 1 << 30, Output: 32 << 20})
	if err != nil || next != len(dirs) {
		t.Fatalf("%d of %d answers: %v", next, len(dirs), err)
	}
	return out
}

// What an app renders to does not depend on the apps that its child rendered before.
func TestAnAppRendersToTheSameAloneAndAmongOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	child := build(t)
	shared, onCluster, onEngine := assembled(t)
	for target, dirs := range map[bool][]string{true: onCluster, false: onEngine} {
		shared.Kubernetes = target
		alone, answers := map[string]string{}, 0
		for _, dir := range dirs {
			alone[dir] = rendered(t, child, shared, []string{dir})[dir]
			if strings.HasPrefix(alone[dir], "{") {
				answers++
			}
		}
		t.Logf("cluster %t: %d apps, %d of them with an answer", target, len(dirs), answers)
		if answers < len(dirs)/2 {
			t.Errorf("only %d of %d apps have an answer: %v", answers, len(dirs), alone)
		}
		order := slices.Clone(dirs)
		for n := range 6 {
			if n == 1 {
				slices.Reverse(order)
			} else if n > 1 {
				random := rand.New(rand.NewPCG(uint64(n), 0))
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			}
			for dir, got := range rendered(t, child, shared, order) {
				if got != alone[dir] {
					t.Errorf("order %d: %s renders among others to\n%s\nalone to\n%s\n%v", n, dir, got, alone[dir], order)
				}
			}
		}
	}
}
