package kube

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/repo/repotest"
	"syncd.io/syncd/internal/resource"
)

// files are the content of a repository.
type files repotest.Files

func (f files) write(t testing.TB) string { return repotest.Files(f).Write(t) }

// request asks for the app "shop" in the directory app.
func (f files) request(t testing.TB) render.Request {
	t.Helper()
	return render.Request{
		Shared: &render.Shared{Root: f.write(t), Kubernetes: true, MaxObjects: 5000, MaxBytes: 10 << 20},
		App:    render.App{Name: "shop", Dir: "app"},
	}
}

// with adds files.
func (f files) with(more files) files {
	out := maps.Clone(f)
	maps.Copy(out, more)
	return out
}

// one is a repository with one file of manifests.
func one(manifests string) files { return files{"app/a.yaml": manifests} }

// object is a manifest of a kind, with more lines.
func manifestOf(apiVersion, kind, name string, lines ...string) string {
	return "apiVersion: " + apiVersion + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + strings.Join(lines, "\n") + "\n"
}

// config is a ConfigMap of a name.
func configMap(name string) string { return manifestOf("v1", "ConfigMap", name) }

func mustRender(t testing.TB, req render.Request) render.Answer {
	t.Helper()
	answer, err := Render(t.Context(), req)
	if err != nil {
		t.Fatalf("render: %v (hint: %s)", err, fault.Advice(err))
	}
	return answer
}

func object(t testing.TB, a render.Answer, key string) resource.Object {
	t.Helper()
	for _, o := range a.Objects {
		if o.Key.String() == key {
			return o
		}
	}
	t.Fatalf("no object %s among %s", key, keys(a))
	return resource.Object{}
}

// keys are those of an answer's objects, in order.
func keys(a render.Answer) string {
	var out []string
	for _, o := range a.Objects {
		out = append(out, o.Key.String())
	}
	return strings.Join(out, " ")
}

// mustFail renders and checks the class and that the error says all of words.
func mustFail(t testing.TB, req render.Request, class fault.Class, words ...string) {
	t.Helper()
	_, err := Render(t.Context(), req)
	if err == nil {
		t.Fatal("rendered, want an error")
	}
	judge(t, req, err, class, words...)
}

// judge checks an error's class and that it says all of words.
func judge(t testing.TB, req render.Request, err error, class fault.Class, words ...string) {
	t.Helper()
	if got := fault.Of(err); got != class {
		t.Errorf("class %s, want %s: %v", got, class, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) && !strings.Contains(fault.Advice(err), w) {
			t.Errorf("the error does not say %q: %v (hint: %s)", w, err, fault.Advice(err))
		}
	}
	if strings.Contains(err.Error(), req.Root) {
		t.Errorf("the error tells where the snapshot is: %v", err)
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
