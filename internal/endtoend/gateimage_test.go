package endtoend_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"

	"os"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// gateImaged makes an image as a user would: FROM scratch, the program, and its
// entrypoint.
func gateImaged(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile(gateProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	files := tar.NewWriter(&packed)
	if err := files.WriteHeader(&tar.Header{Name: "syncd-gate", Mode: 0o755, Size: int64(len(program))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	api, name := dockertest.Client(t), dockertest.Name()+":1"
	answer, err := api.ImageImport(t.Context(), image.ImportSource{Source: &packed, SourceName: "-"}, name, image.ImportOptions{Changes: []string{`ENTRYPOINT ["/syncd-gate"]`}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer); err != nil {
		t.Fatal(err)
	}
	if err := answer.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
		defer cancel()
		if _, err := api.ImageRemove(ctx, name, image.RemoveOptions{}); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return name
}

// A host may name the image of its gates, which then needs nothing but the
// program.
func TestAHostNamesTheImageOfItsGates(t *testing.T) {
	t.Parallel()
	named := gateImaged(t) // first: it is removed after the containers
	h := newHost(t)
	port := freePort(t)
	compose := strings.NewReplacer("PORT", port, "MODE", "http", "ORDER", "start-first").Replace(gated)
	h.deploy(compose)

	h.gateImage = h.image
	res := h.want(h.sync(), reconcile.Blocked)
	if !strings.Contains(res.Reason, "gate.image in syncd.yaml: the entrypoint of "+h.image+" is [/app], not [/syncd-gate]") || !strings.Contains(res.Hint, "take gate.image out") {
		t.Errorf("%s\nhint: %s", res.Reason, res.Hint)
	}
	h.gateImage = "localhost:1/nobody/gate:1"
	if res = h.sync(); res.Outcome != reconcile.Unreachable || !strings.Contains(res.Reason, "gate.image: pull image localhost:1/nobody/gate:1") {
		t.Errorf("%s %s", res.Outcome, res.Reason)
	}
	if n := len(h.service("web")); n != 0 {
		t.Errorf("%d containers were made without a gate to be had", n)
	}

	h.gateImage = named
	h.want(h.sync(), reconcile.Applied)
	gate := h.project + "-web-gate-" + strings.ReplaceAll(port, ":", "-")
	in, err := h.api.ContainerInspect(t.Context(), gate)
	h.must(err)
	if in.Config.Image != named {
		t.Errorf("the gate is of %s, want %s", in.Config.Image, named)
	}
	if got := h.asked(port); got != "1" {
		t.Errorf("behind it: %q", got)
	}
	h.settled()
}
