package compose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"syncd.io/syncd/internal/spec"
)

// The examples for proxies say all that makes an instance leave without loss.
func TestProxyExamplesDrain(t *testing.T) {
	for _, name := range []string{"nginx", "traefik"} {
		dir := filepath.Join("../../../examples/proxies", name)
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		repo := files{}
		for _, file := range list {
			text, err := os.ReadFile(filepath.Join(dir, file.Name()))
			if err != nil {
				t.Fatal(err)
			}
			repo["app/"+file.Name()] = string(text)
		}
		a := mustRender(t, repo.request(t))
		object(t, a, "container/"+name+"/1")
		o := object(t, a, "container/web/1")
		var c spec.Container
		if err := json.Unmarshal(o.Spec, &c); err != nil {
			t.Fatal(err)
		}
		if c.Drain == 0 || len(c.PreStop) != 1 || o.Policy.Monitor < c.Drain || o.Rollback.Monitor < c.Drain {
			t.Errorf("%s: drain %s after %d hooks, monitor %s and %s", name, c.Drain, len(c.PreStop), o.Policy.Monitor, o.Rollback.Monitor)
		}
		if len(a.Notes) > 0 {
			t.Errorf("%s: noted is %q", name, a.Notes)
		}
	}
}
