package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/render"
)

// A chart gives the same objects wherever the machine is.
func TestTheMachinesZoneDoesNotShow(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if _, err := time.LoadLocation("Asia/Tokyo"); err != nil {
		t.Fatal(err)
	}
	shared := &render.Shared{Root: t.TempDir(), Kubernetes: true, MaxObjects: 10, MaxBytes: 1 << 20}
	for name, text := range map[string]string{
		"Chart.yaml":       "apiVersion: v2\nname: app\nversion: 1.0.0\n",
		"templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  at: '{{ toDate \"2006-01-02\" \"2020-01-01\" | unixEpoch }}'\n",
	} {
		write(t, filepath.Join(shared.Root, "app", name), text)
	}
	request, err := json.Marshal(render.Batch{Shared: shared, Requests: []render.Request{{App: render.App{Name: "app", Dir: "app"}}}})
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	child := exec.Command(build(t).Path, "render", "536870912")
	child.Env, child.Stdin, child.Stdout, child.Stderr = []string{"TZ=Asia/Tokyo"}, bytes.NewReader(request), &out, &said
	if err := child.Run(); err != nil {
		t.Fatal(err, out.String(), said.String())
	}
	if midnight := "1577836800"; !strings.Contains(out.String(), midnight) {
		t.Errorf("not at midnight, UTC: %s", out.String())
	}
}
