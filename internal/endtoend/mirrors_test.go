package endtoend_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// nowhere is a registry that this host cannot reach.
const nowhere = "registry.invalid"

// settings writes a syncd.yaml of the host with these lines, and returns its flag.
func (h *host) settings(lines string) string {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "syncd.yaml")
	h.must(os.WriteFile(file, fmt.Appendf(nil, "repo: {url: %s}\nstate: %s\n%s\n", h.repo, h.state, lines), 0o600))
	return "--config=" + file
}

// A host that reaches a mirror only deploys, goes back without it, and keeps no more
// images than one that reaches the registry.
func TestHostBehindAMirror(t *testing.T) {
	t.Parallel()
	h, s := newHost(t), newShelf(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nrollback: {keep: 2}\n")
	config := h.settings("registries: {mirrors: {" + nowhere + ": {endpoint: ['http://127.0.0.1:1', 'http://" + s.address + "'], rewrite: {'^shop/(.*)': '$1'}, fallback: false}}}")
	ids := map[string]string{}
	for _, name := range []string{"v1", "v2", "v3", "bad", "v4"} {
		ref, id := h.put(s, name)
		ids[name] = id
		ref = strings.Replace(ref, s.address, nowhere+"/shop", 1)
		t.Cleanup(func() { h.dropTags(id) })
		compose, code := strings.Replace(version(web, name), "IMAGE", ref, 1), 0
		if name == "bad" {
			compose, code = strings.Replace(web, "IMAGE", ref+"\n    command: [-exit, \"7\"]", 1), 3
		}
		h.deploy(compose)
		h.cli(code, "sync", config)
	}
	if got, want := h.kept(ids), "v2 v3 v4"; got != want {
		t.Errorf("here are %s, want %s", got, want)
	}
	s.shut.Store(true)
	for _, c := range []struct{ verb, runs string }{{"rollback", "v3"}, {"resume", "v4"}} {
		h.cli(0, c.verb, h.project, config)
		if is := h.one("web"); is.Image != ids[c.runs] {
			t.Errorf("syncd %s: %s runs, want %s", c.verb, is.Image, c.runs)
		}
	}
	out := h.cli(0, "status", config)
	if !strings.Contains(out, nowhere+"/shop/"+h.project+":v4") {
		t.Errorf("status does not name the image as it is written:\n%s", out)
	}
	if out := h.cli(0, "sync", config); strings.Contains(out, "pulling") {
		t.Errorf("a sync without a change asks for images:\n%s", out)
	}
}

// dropTags removes an image that may have several names, or be gone.
func (h *host) dropTags(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
	defer cancel()
	dockertest.Remove(h.t, h.api, h.project) // what runs of it
	_, err := h.api.ImageRemove(ctx, id, image.RemoveOptions{Force: true, PruneChildren: true})
	h.t.Log("clean up:", err)
}

// A host without any network gets its images as files.
func TestHostWithAnArchive(t *testing.T) {
	t.Parallel()
	h, dir := newHost(t), t.TempDir()
	config := h.settings("images: {archives: " + dir + "}\nregistries: {mirrors: {'" + nowhere + "': {endpoint: ['http://127.0.0.1:1'], fallback: false}}}")
	ref := nowhere + "/" + h.project + ":v1"
	dockertest.ImageNamed(t, ref)
	id := dockertest.ImageID(t, ref)
	t.Cleanup(func() { h.dropTags(id) })
	stream, err := h.api.ImageSave(t.Context(), []string{ref})
	h.must(err)
	defer stream.Close()
	raw, err := io.ReadAll(stream)
	h.must(err)
	dockertest.Forget(t, ref)
	h.deploy(strings.Replace(web, "IMAGE", ref, 1))

	out := h.cli(1, "sync", config)
	if !strings.Contains(out, "mirror http://127.0.0.1:1: ") {
		t.Errorf("without the archive it says:\n%s", out)
	}
	half := filepath.Join(dir, "web.tar")
	h.must(os.WriteFile(half, raw[:len(raw)/2], 0o600))
	if out := h.cli(1, "sync", config); !strings.Contains(out, "web.tar: it is cut off") {
		t.Errorf("with half of it, it says:\n%s", out)
	}
	h.must(os.WriteFile(half, raw, 0o600))
	h.cli(0, "sync", config)
	if is := h.one("web"); is.Image != id {
		t.Errorf("%s runs, want %s", is.Image, id)
	}
}
