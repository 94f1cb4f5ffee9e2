package docker

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

// A secret is found where it is mounted: wherever that is, and for an agent in a
// container, which has another path to it than the engine.
func TestMountedSecretsAreFound(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("77/key", "first-line\r\nsecond-line\nyes\n")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	engines := "/var/lib/engine/mounts"
	e := &Engine{opts: Options{Mounts: dir}, mounts: &engines}
	in := container.InspectResponse{Config: &container.Config{}, Mounts: []container.MountPoint{
		{Destination: "/etc/app/db_password", Source: write("password", "elsewhere")},
		{Destination: "/etc/app.conf", Source: write("conf", "colourful\n")},
		{Destination: "/run/secrets/key", Source: engines + "/77/key"},
		{Destination: "/run/secrets/pipe", Source: pipe},
		{Destination: "/run/secrets/gone", Source: filepath.Join(dir, "gone")},
	}}
	got := e.Target("shop").concealer(slotKey("web", "1"), in).Replace("elsewhere, second-line: first-line; colourful yes")
	if want := resource.Mask + ", " + resource.Mask + ": " + resource.Mask + "; colourful yes"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// What is cut first shows the part of a secret that is left of it.
func TestProbeOutputIsMaskedBeforeItIsCut(t *testing.T) {
	secret := "hunter2-" + strings.Repeat("x", 40) + "\nsecond-half-of-it"
	in := container.InspectResponse{
		Config: &container.Config{Env: []string{"DB_PASSWORD=" + secret}},
		ContainerJSONBase: &container.ContainerJSONBase{State: &container.State{Running: true, Health: &container.Health{
			Status: container.Unhealthy, FailingStreak: 3,
			Log: []*container.HealthcheckResult{nil, {ExitCode: 1, Output: strings.Repeat(".", longestReason-20) + secret}},
		}}},
	}
	h := (&Engine{}).Target("shop").healthOf(slotKey("web", "1"), in)
	if strings.Contains(h.Reason, "hunter2") || strings.Contains(h.Reason, "half") || !strings.Contains(h.Reason, "after 3 probes") {
		t.Errorf("the reason is %q", h.Reason)
	}
	if kept := in.State.Health.Log[1].Output; !strings.Contains(kept, "hunter2") {
		t.Error("the observation itself was changed")
	}
}
