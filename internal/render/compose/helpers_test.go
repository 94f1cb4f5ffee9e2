package compose

import (
	"encoding/json"
	"strings"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/repo/repotest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// files are the content of a repository.
type files repotest.Files

func (f files) write(t testing.TB) string { return repotest.Files(f).Write(t) }

func (f files) tracked() map[string]string { return repotest.Files(f).Tracked() }

// request asks for the app "shop" in the directory app.
func (f files) request(t testing.TB) render.Request {
	t.Helper()
	return render.Request{
		Shared: &render.Shared{Root: f.write(t), Tracked: f.tracked(), MaxObjects: 5000, MaxBytes: 10 << 20},
		App:    render.App{Name: "shop", Dir: "app"},
	}
}

// one is a repository with one Compose file.
func one(compose string) files { return files{"app/compose.yaml": compose} }

// web is a repository whose service web has the given lines.
func web(lines string) files { return one(service("web", "image: nginx:1\n"+lines)) }

func service(name, lines string) string {
	return "services:\n  " + name + ":\n" + indent(lines, "    ")
}

func indent(text, by string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		out.WriteString(by + line)
	}
	return out.String() + "\n"
}

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
	t.Fatalf("no object %s among %d", key, len(a.Objects))
	return resource.Object{}
}

// container decodes the spec of container/web/1.
func container(t testing.TB, a render.Answer) spec.Container {
	t.Helper()
	var c spec.Container
	if err := json.Unmarshal(object(t, a, "container/web/1").Spec, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// mustFail renders and checks the class and that the error says all of words.
func mustFail(t testing.TB, req render.Request, class fault.Class, words ...string) {
	t.Helper()
	judge(t, req, failure(t, req), class, words...)
}

// failure renders and returns the error.
func failure(t testing.TB, req render.Request) error {
	t.Helper()
	_, err := Render(t.Context(), req)
	if err == nil {
		t.Fatal("rendered, want an error")
	}
	return err
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

// jobsOf are the settings of one job.
func jobsOf(name, onRollback, before string) map[string]config.Job {
	return map[string]config.Job{name: {OnRollback: onRollback, Before: before}}
}
