package docker

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/registry"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// serveRegistry starts a registry on a loopback port and returns host:port.
func serveRegistry(t *testing.T, user, password string) string {
	t.Helper()
	store := registry.New(registry.Logger(discard()))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, secret, _ := r.BasicAuth()
		if user != "" && (name != user || secret != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// push uploads an image, and removes its name here.
func (f *fixture) push(ref string) {
	f.Helper()
	auth, err := credentials(ref)
	if err != nil {
		f.Fatal(err)
	}
	stream, err := f.api.ImagePush(f.ctx, ref, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		f.Fatal(err)
	}
	defer stream.Close()
	text, err := io.ReadAll(stream)
	if err != nil || strings.Contains(string(text), `"error"`) {
		f.Fatalf("push %s: %v: %s", ref, err, text)
	}
	f.dropImage(ref)
}

func (f *fixture) dropImage(ref string) {
	f.Helper()
	if _, err := f.api.ImageRemove(f.ctx, ref, image.RemoveOptions{Force: true, PruneChildren: true}); err != nil {
		f.Fatal(err)
	}
}

// dockerConfig makes the Docker config of this test, and returns how to log in.
func dockerConfig(t *testing.T) func(host, user, password string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	return func(host, user, password string) {
		raw, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"username": user, "password": password, "auth": basic(user, password)}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.json"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPinPullsByTagAndLaterByDigest(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	ref := serveRegistry(t, "", "") + "/" + dockertest.Name() + ":v1"
	dockertest.ImageNamed(t, ref)
	first := dockertest.ImageID(t, ref)
	f.push(ref)
	objects := []resource.Object{f.object(slotKey("web", "1"), "web", spec.Container{Name: "web", Project: f.project, Service: "web", Number: 1, Image: ref})}
	pinned, missing, err := f.target.Pin(f.ctx, objects, true)
	if err != nil || len(missing) != 0 {
		t.Fatalf("missing %v, %v", missing, err)
	}
	c, err := decode[spec.Container](pinned[0])
	if err != nil || c.Pin != first || !strings.Contains(c.Digest, "@sha256:") {
		t.Fatalf("pin %s, digest %s, %v; want %s", c.Pin, c.Digest, err, first)
	}
	f.dropImage(first)
	dockertest.ImageNamed(t, ref, "ENV MOVED=yes")
	f.push(ref)
	again, _, err := f.target.Pin(f.ctx, pinned, true)
	if err != nil || string(again[0].Spec) != string(pinned[0].Spec) {
		t.Errorf("pulled again: %v\n%s", err, again[0].Spec)
	}
	if dockertest.ImageID(t, first) != first {
		t.Error("the pinned image is not here")
	}
}

func TestCredentialsAreReadAnewAtEachPull(t *testing.T) {
	f := newFixture(t)
	login := dockerConfig(t)
	host := serveRegistry(t, "joe", "right")
	ref := host + "/" + dockertest.Name() + ":v1"
	dockertest.ImageNamed(t, ref)
	login(host, "joe", "right")
	f.push(ref)
	pull := func(tag string) error {
		image := strings.TrimSuffix(ref, "v1") + tag
		_, _, err := f.target.Pin(f.ctx, []resource.Object{f.object(slotKey("web", "1"), "web", spec.Container{Service: "web", Image: image})}, true)
		return err
	}
	login(host, "joe", "wrong")
	if err := pull("v1"); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "docker login") {
		t.Errorf("with a wrong password: class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	login(host, "joe", "right")
	if err := pull("v1"); err != nil {
		t.Errorf("with the right password: %v", err)
	}
	if err := pull("v2"); fault.Of(err) != fault.Rejected {
		t.Errorf("a tag that does not exist: class %v: %v", fault.Of(err), err)
	}
}
