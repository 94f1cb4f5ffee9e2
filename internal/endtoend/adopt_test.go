package endtoend_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// composed is a project of somebody who has used Compose until now: a setting
// from .env, a named volume, data in a directory, a file that is mounted.
const composed = `
services:
  web:
    image: IMAGE
    restart: unless-stopped
    environment: {APP_VERSION: "1", GREETING: "${GREETING}"}
    ports: ["PORT:8080"]
    volumes: ["./page.txt:/page.txt:ro"]
    depends_on: [db]
    PROBE
  db:
    image: IMAGE
    restart: always
    environment: {APP_WRITE: /data/born}
    volumes: ["./data:/data", "archive:/archive"]
    stop_grace_period: 3s
    PROBE
volumes: {archive: {}}
`

// composeUp starts the project with Compose itself, in a directory of its own,
// and returns how to call it again.
func (h *host) composeUp(compose string) (dir string, run func(args ...string) string) {
	h.t.Helper()
	command := composeCommand(h.t)
	dir = filepath.Join(h.t.TempDir(), "shop")
	h.must(os.MkdirAll(filepath.Join(dir, "data"), 0o755))
	filled := strings.NewReplacer("IMAGE", h.image, "PROBE", probe).Replace(compose)
	for name, content := range map[string]string{"docker-compose.yml": filled, ".env": "GREETING=hello from .env\n", "page.txt": "one"} {
		h.must(os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	run = func(args ...string) string {
		h.t.Helper()
		args = append(append(command[1:len(command):len(command)], "--project-name", h.project), args...)
		cmd := exec.CommandContext(h.t.Context(), command[0], args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			h.t.Fatalf("compose %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("up", "-d")
	return dir, run
}

// composeCommand is the Compose that this machine has.
func composeCommand(t testing.TB) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	path, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Fatal("neither docker compose nor docker-compose is here: hack/compose.sh installs it")
	}
	return []string{path}
}

func TestAdoptTakesOverWithoutARestartAndReleaseHandsBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(composed, "PORT", freePort(t), 1)
	dir, run := h.composeUp(compose)
	h.secrets = []string{filepath.Join(dir, ".env")}
	was := h.ids("web", "db")
	born := h.read(h.one("db").ID, "/data/born")

	h.write("page.txt", "one")
	h.deploy(compose)
	h.untouched(func() {
		h.want(h.sync(), reconcile.Blocked)
		preview := h.act("adopt", reconcile.ActRequest{})
		if !strings.Contains(preview.Text, " 0 would be replaced") {
			t.Errorf("adopt says beforehand: %s\n%s", preview.Text, preview.Preview.Plan)
		}
	})
	out := h.act("adopt", reconcile.ActRequest{Confirm: true})
	if o := out.Result.Outcome; o != reconcile.Applied && o != reconcile.Unchanged {
		t.Fatalf("adopt ended %s: %s", o, out.Result.Reason)
	}
	if h.ids("web", "db") != was {
		t.Fatalf("something was restarted\n%s", h.story())
	}
	h.settled()

	h.write("page.txt", "two")
	h.deploy(version(compose, "2"))
	h.want(h.sync(), reconcile.Applied)
	if c := h.one("web"); env(c, "APP_VERSION") != "2" || env(c, "GREETING") != "hello from .env" {
		t.Errorf("web runs with %q", c.Config.Env)
	}
	h.deploy(strings.Replace(version(compose, "2"), "APP_WRITE: /data/born", `APP_WRITE: /data/born, MORE: "1"`, 1))
	h.want(h.sync(), reconcile.Applied)
	if h.read(h.one("db").ID, "/data/born") != born {
		t.Error("the database woke up in another directory")
	}

	is := h.ids("web", "db")
	h.untouched(func() { h.act("release", reconcile.ActRequest{Confirm: true}) })
	h.untouched(func() { h.want(h.sync(), reconcile.Paused) })
	if h.ids("web", "db") != is {
		t.Error("something was restarted by the release")
	}
	for _, service := range []string{"web", "db"} {
		if ps := run("ps", "-q", service); !strings.Contains(is, strings.TrimSpace(ps)) || strings.TrimSpace(ps) == "" {
			t.Errorf("compose ps -q %s says %q", service, ps)
		}
	}
	run("logs", "web")
	run("stop", "web")
	if h.one("web").State.Running {
		t.Error("compose stop does not stop it")
	}
}
