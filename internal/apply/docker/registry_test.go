package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
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
	auth, err := f.engine.credentials(f.ctx, ref)
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
	if err := pull("v1"); fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), "docker login") {
		t.Errorf("with a wrong password: class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	login(host, "joe", "right")
	if err := pull("v1"); err != nil {
		t.Errorf("with the right password: %v", err)
	}
}

// Git is often faster than the registry: an image that is not there yet is waited
// for, and only one that stays away is refused.
func TestAbsentImageIsWaitedForAWhile(t *testing.T) {
	f := newFixture(t)
	dockerConfig(t)
	ref := serveRegistry(t, "", "") + "/" + dockertest.Name() + ":v1"
	pull := func() error {
		_, _, err := f.target.Pin(f.ctx, []resource.Object{f.object(slotKey("web", "1"), "web", spec.Container{Service: "web", Image: ref})}, true)
		return err
	}
	for range 2 {
		if err := pull(); fault.Of(err) != fault.Unreachable || !strings.Contains(err.Error(), "asked for again for 5m0s") || !strings.Contains(fault.Advice(err), "in the registry") {
			t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
		}
	}
	f.engine.limits.absent = 0
	if err := pull(); fault.Of(err) != fault.Rejected {
		t.Errorf("in the end: class %v: %v", fault.Of(err), err)
	}
	f.engine.limits.absent = absentLimit
	if err := pull(); fault.Of(err) != fault.Unreachable {
		t.Errorf("asked for anew: class %v: %v", fault.Of(err), err)
	}
	dockertest.ImageNamed(t, ref)
	f.push(ref)
	if err := pull(); err != nil || len(f.engine.absences) != 0 {
		t.Errorf("now it is there: %v, %v", err, f.engine.absences)
	}
}

func TestHowLongAnImageIsAbsent(t *testing.T) {
	begun := time.Now()
	a := absences{}
	for _, c := range []struct {
		ref         string
		after, want time.Duration
	}{
		{"web:1", 0, 0}, {"web:1", time.Minute, time.Minute}, {"db:1", 2 * time.Minute, 0}, {"web:1", 6 * time.Minute, 6 * time.Minute},
		{"web:1", 7*time.Minute + forgotten, 0}, {"db:1", 7*time.Minute + forgotten, 0},
	} {
		if got := a.since(c.ref, begun.Add(c.after)); got != c.want {
			t.Errorf("after %s, %s is absent for %s, want %s", c.after, c.ref, got, c.want)
		}
	}
	if len(a) != 2 {
		t.Errorf("what nobody asks for is remembered: %v", a)
	}
}

// What the host is short of is no revision's fault, and passes.
func TestWhatTheHostLacksIsUnreachable(t *testing.T) {
	f := newFixture(t)
	for said, advice := range map[string]string{
		"mkdir /var/lib/docker/overlay2/x: no space left on device":                                      "free space",
		"OCI runtime create failed: fork/exec /proc/self/exe: cannot allocate memory":                    "free memory",
		"failed to create shim: fork: Resource temporarily unavailable":                                  "limit of tasks",
		"open /var/lib/docker/containers/x/config.v2.json: too many open files":                          "open files",
		"could not find an available, non-overlapping IPv4 address pool among the defaults":              "network prune",
		"driver failed programming external connectivity: iptables: No chain/target/match by that name.": "firewall",
	} {
		err := f.engine.classify(f.ctx, "create container web", cerrdefs.ErrInternal.WithMessage(said))
		if fault.Of(err) != fault.Unreachable || !strings.Contains(fault.Advice(err), advice) {
			t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
		}
	}
}

// helper makes a credential helper of the Docker config, as a shell script.
func helper(t *testing.T, script string) {
	t.Helper()
	dir := os.Getenv("DOCKER_CONFIG")
	path := filepath.Join(dir, "docker-credential-test")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"credsStore":"test"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestCredentialHelperIsAsked(t *testing.T) {
	e := &Engine{limits: limits{helper: dockertest.Limit}}
	for script, want := range map[string]string{
		`read url; echo "{\"Username\":\"joe\",\"Secret\":\"of $url\"}"`: `"username":"joe","password":"of r.example.org"`,
		`echo '{"Username":"<token>","Secret":"t0ken"}'`:                 `"identitytoken":"t0ken"`,
		`echo credentials not found in native keychain; exit 1`:          `{}`,
	} {
		dockerConfig(t)
		helper(t, script)
		auth, err := e.credentials(t.Context(), "r.example.org/web:1")
		raw, decodeErr := base64.URLEncoding.DecodeString(auth)
		if err != nil || decodeErr != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %s, %v, %v; want %s", script, raw, err, decodeErr, want)
		}
	}
}

// One that never answers holds nobody up: not past its time, and not past the end
// of whoever waits.
func TestHangingCredentialHelperIsLeft(t *testing.T) {
	dockerConfig(t)
	helper(t, "sleep 3600")
	begun := time.Now()
	e := &Engine{limits: limits{helper: 100 * time.Millisecond}}
	if _, err := e.credentials(t.Context(), "r.example.org/web:1"); fault.Of(err) != fault.Unreachable || fault.Advice(err) == "" {
		t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := (&Engine{limits: defaultLimits()}).credentials(ctx, "r.example.org/web:1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its caller ended: %v", err)
	}
	if took := time.Since(begun); took > helperLimit/2 {
		t.Errorf("it took %s", took)
	}
}
