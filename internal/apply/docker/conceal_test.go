package docker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/resource"
)

// A program that prints its own secrets does not carry them into a reason.
func TestWhatAContainerSaysHidesItsSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := slotKey("web", "1")
	target := (&Engine{}).Target("shop")
	target.wanted[key] = resource.Object{
		Spec:      []byte(`{"environment":{"MOTTO":"from-the-host","URL":"http://u:in-a-url@db/x"}}`),
		Sensitive: []string{"/environment/MOTTO"},
	}
	in := container.InspectResponse{
		Config: &container.Config{Env: []string{"DB_PASSWORD=from-the-environment", "COLOUR=green"}},
		Mounts: []container.MountPoint{{Destination: "/run/secrets/token", Source: file}},
	}
	target.secrets = []string{"part-of-an-argument"}
	said := "from-the-environment, from-the-host, from-a-file, part-of-an-argument, in-a-url; green"
	got := target.concealer(key, in).Replace(said)
	if want := strings.Repeat(resource.Mask+", ", 4) + resource.Mask + "; green"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}
