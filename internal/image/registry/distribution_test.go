package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/bcrypt"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/image/oci"
)

// distribution starts the distribution's own registry, with a login, and returns its
// address.
func distribution(t *testing.T, user, password string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs docker-registry")
	}
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatalf("no docker-registry (make proxies installs it, or run with -short): %v", err)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	users := filepath.Join(dir, "htpasswd")
	if err := os.WriteFile(users, []byte(user+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: %q}\nauth: {htpasswd: {realm: test, path: %s}}\n", dir, address, users), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "serve", settings)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("the registry: %v\n%s", err, said.String())
		}
	})
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close() //nolint:errcheck // it answers
			return address
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("the registry does not answer:\n%s", said.String())
		}
	}
}

// What Docker's users run as a mirror takes images, keeps their digests, and gives
// them back.
func TestDistributionsRegistry(t *testing.T) {
	address := distribution(t, "joe", "s3cret-word")
	place := Place{URL: "http://" + address, Login: as("joe", secret(t, "s3cret-word"))}
	from := serve(t, false, nil)
	two := index(t, v1.Platform{OS: "linux", Architecture: "amd64"}, v1.Platform{OS: "linux", Architecture: "arm64"})
	from.has(t, "shop/web:v1", two)

	source, err := Dial(t.Context(), Place{URL: from.URL}, "shop/web", false)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	top, _, err := source.Head(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}
	to, err := Dial(t.Context(), place, "shop/web", true)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for range 2 {
		if err := to.Push(t.Context(), source, top, "v1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, which := range []string{"v1", top.Digest.String()} {
		got, err := fetchAs(t, place, "shop/web", which, ocispec.Platform{OS: "linux", Architecture: "arm64"})
		if err != nil || got.Top.Digest != top.Digest {
			t.Errorf("%s came back as %s, %v", which, got.Top.Digest, err)
		}
	}
	layer := readOn(t, to, top)
	if layer == 0 {
		t.Error("no blob was read on")
	}
	if _, err := fetch(t, place, "shop/web", "v2"); fault.Of(err) != fault.Unknown || !strings.Contains(err.Error(), "404") {
		t.Errorf("an absent tag: class %v: %v", fault.Of(err), err)
	}
	place.Login = as("joe", secret(t, "wr0ng-word"))
	if _, err := fetch(t, place, "shop/web", "v1"); fault.Of(err) != fault.Blocked || strings.Contains(err.Error(), "wr0ng-word") {
		t.Errorf("with a wrong password: class %v: %v", fault.Of(err), err)
	}
}

// readOn reads a layer from its middle, as after a break, and returns how much.
func readOn(t *testing.T, r *Repo, top ocispec.Descriptor) int64 {
	t.Helper()
	found, err := oci.Resolve(t.Context(), r, top, amd64)
	if err != nil {
		t.Fatal(err)
	}
	layer := found.Layers[0]
	b := &blob{repo: r, ctx: t.Context(), want: layer, read: layer.Size / 2}
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	rest, err := io.ReadAll(b)
	if err != nil || int64(len(rest)) != layer.Size-layer.Size/2 {
		t.Errorf("%d of %d bytes were read on, %v", len(rest), layer.Size, err)
	}
	return int64(len(rest))
}
