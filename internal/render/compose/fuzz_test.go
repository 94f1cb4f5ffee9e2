package compose

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
)

func FuzzRender(f *testing.F) {
	data, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data), "A=1\nTAG=7\n")
	f.Add("include: [other.yaml]\nservices: {web: {extends: {file: other.yaml, service: x}}}\n", "")
	f.Add(bomb(), "A=$A$A\n")
	f.Add(service("web", "image: ${A:-${B:?x}}\nports: ['80-90:80-90']\nenv_file: [{path: .env, format: raw}]"), "B='$x'\n")
	f.Add("services: {a: &a {image: x, depends_on: [b]}, b: {<<: *a, network_mode: 'service:a'}}\n", "")
	f.Add("services: {a: {image: x, x-syncd: {job: true, gate: http}, ulimits: {n: {soft: a}}, gpus: [{}], configs: [c]}}\nconfigs: {c: {content: $$}}\n", "")
	f.Fuzz(func(t *testing.T, compose, env string) {
		if strings.HasPrefix(compose, "-> ") || strings.HasPrefix(env, "-> ") {
			return // means a symlink to the helper
		}
		req := merge(one(compose), files{"app/.env": env, "app/other.yaml": compose, "app/conf/nginx.conf": "x"}).request(t)
		req.HostDir, req.MaxObjects = "/srv/shop", 100
		req.Values = map[string]string{"DB_PASSWORD": "hunter2"}
		req.Secret = []string{"DB_PASSWORD"}
		start := time.Now()
		answer, err := Render(t.Context(), req)
		if took := time.Since(start); took > endless {
			t.Errorf("took %s", took)
		}
		if err != nil {
			checkError(t, req, err)
			return
		}
		if len(answer.Objects) == 0 || len(answer.Objects) > req.MaxObjects {
			t.Errorf("%d objects", len(answer.Objects))
		}
		again, err := Render(t.Context(), req)
		if err != nil {
			t.Fatalf("rendered once: %v", err)
		}
		if a, b := marshal(t, answer), marshal(t, again); !bytes.Equal(a, b) {
			t.Errorf("the same request gives other bytes\n%s\n%s", a, b)
		}
		if bytes.Contains(marshal(t, answer.Objects), []byte(req.Root)) {
			t.Error("the snapshot's directory is in an object")
		}
	})
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checkError(t *testing.T, req render.Request, err error) {
	t.Helper()
	if c := fault.Of(err); c != fault.Rejected && c != fault.Blocked {
		t.Errorf("class %s: %v", c, err)
	}
	if strings.Contains(err.Error(), req.Root) {
		t.Errorf("the error tells where the snapshot is: %v", err)
	}
	if strings.Contains(err.Error(), "hunter2") || strings.Contains(fault.Advice(err), "hunter2") {
		t.Errorf("the error shows a secret: %v", err)
	}
}

func FuzzDiscover(f *testing.F) {
	f.Add("name: shop\nservices: {web: {image: a}}\n", "name: other\ncompose: [a.yaml]\n")
	f.Add("---\n---\nname: a\n", "")
	f.Add("name: ${A}\n", "jobs: {a: {onRollback: halt}}\n")
	f.Add(bomb(), bomb())
	f.Fuzz(func(t *testing.T, compose, settings string) {
		if strings.HasPrefix(compose, "-> ") || strings.HasPrefix(settings, "-> ") {
			return
		}
		root := files{"a/compose.yaml": compose, "a/.syncd.yaml": settings, "b/compose.yaml": webOnly}.write(t)
		d, err := Discover(t.Context(), render.DiscoverRequest{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Apps) != 2 || d.Apps[0].Dir != "a" || d.Apps[1].Dir != "b" {
			t.Fatalf("%+v", d.Apps)
		}
		a, b := d.Apps[0], d.Apps[1]
		if a.Name == "" || strings.Contains(a.Error, root) {
			t.Errorf("%+v", a)
		}
		if b.Error != "" && a.Name != "b" {
			t.Errorf("a broken app breaks another: %+v", b)
		}
	})
}
