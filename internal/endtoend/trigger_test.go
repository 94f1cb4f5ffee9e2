package endtoend_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// forge is a Git server that tells an agent of pushes. The agent never polls.
type forge struct {
	*host
	p       *process
	address string
	secret  string
}

func newForge(t testing.TB) *forge {
	t.Helper()
	h := newHost(t)
	h.deploy(web)
	url, ca, _ := h.gitServer(t)
	f := &forge{host: h, address: freePort(t), secret: dockertest.Name()}
	file := filepath.Join(t.TempDir(), "secret")
	h.must(os.WriteFile(file, []byte(f.secret+"\n"), 0o600))
	f.p = h.runProcess(fmt.Sprintf(`  url: %s
  schedule: ["0 0 1 1 *"]
  auth: {caFile: %s}
webhook:
  listen: %s
  hooks: [{name: forge, provider: gitea, secretFile: %s}]
`, url, ca, f.address, file))
	h.deployed(f.p)
	return f
}

// push tells the agent, and returns the status of its answer.
func (f *forge) push(secret string) int {
	f.t.Helper()
	const body = `{"ref": "refs/heads/main"}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, "http://"+f.address+"/hooks/forge", strings.NewReader(body))
	f.must(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Gitea-Signature", hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	f.must(err)
	f.must(res.Body.Close())
	return res.StatusCode
}

// merged merges version n, tells the agent, and returns when the agent was told and
// when the container of that version started.
func (f *forge) merged(n int) (told, began time.Time) {
	f.t.Helper()
	f.deploy(version(web, fmt.Sprint(n)))
	told = time.Now()
	if status := f.push(f.secret); status != http.StatusAccepted {
		f.t.Fatalf("the webhook is answered %d\n%s", status, f.p.log.String())
	}
	dockertest.Eventually(f.t, fmt.Sprintf("version %d runs alone", n), func() bool {
		all := f.service("web")
		if len(all) != 1 || env(all[0], "APP_VERSION") != fmt.Sprint(n) || !all[0].State.Running {
			return false
		}
		began = started(f.t, all[0])
		return true
	})
	return told, began
}

func TestAWebhookDeploysAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	f := newForge(t)
	old := f.one("web")
	if status := f.push("another secret"); status != http.StatusUnauthorized {
		t.Errorf("another secret is answered %d", status)
	}
	told, began := f.merged(2)
	t.Logf("started %s after the webhook", began.Sub(told))
	if took := began.Sub(told); took > 20*time.Second {
		t.Errorf("it took %s, on an agent that was told", took)
	}
	if f.one("web").ID == old.ID {
		t.Error("the old container still runs")
	}
}

// BenchmarkWebhookToStarted is the time from a webhook to the new container's start,
// with a real agent and a Git server of its own; and what of it is left without what
// the engine itself needs.
func BenchmarkWebhookToStarted(b *testing.B) {
	f := newForge(b)
	var total, engine time.Duration
	n := 1
	for b.Loop() {
		n++
		engine += f.engineStart(b)
		told, began := f.merged(n)
		total += began.Sub(told)
	}
	ms(b, total, "total-ms/op")
	ms(b, engine, "engine-ms/op")
	ms(b, total-engine, "overhead-ms/op")
}

// A window that is closed holds the first deploy back and every later one, and a
// person goes through it with a reason.
func TestAPersonForcesAChangeThroughAWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a Docker engine")
	}
	h := newHost(t)
	h.deploy(web)
	p := h.runProcess("  url: " + h.repo + "\n  interval: 1s\nsync: {windows: [{kind: deny, schedule: \"* * * * *\", duration: 1h, timeZone: Europe/Berlin}]}\n")
	h.answers("Blocked", "waiting for its window: closed", "status")
	if n := len(h.service("web")); n != 0 {
		t.Fatalf("%d containers run though the window is closed\n%s", n, p.log.String())
	}
	h.says(5, "waiting for its window", "sync", h.project)
	h.says(1, "--force needs a reason", "sync", h.project, "--force")
	h.says(0, "applied", "sync", h.project, "--force", "--reason", "the first one")
	first := h.one("web")
	h.deploy(version(web, "2"))
	h.answers("Blocked", "pending", "status")
	if h.one("web").ID != first.ID {
		t.Error("the container was replaced though the window is closed")
	}
	h.says(0, "deny \"* * * * *\" Europe/Berlin for 1h", "explain", h.project)
	h.says(0, "applied", "sync", h.project, "--force", "--reason", "the till is down")
	if got := env(h.one("web"), "APP_VERSION"); got != "2" {
		t.Errorf("version %s runs", got)
	}
	h.says(0, "the till is down; the window is closed", "history", h.project)
}

// says runs a verb of the agent's, and fails the test unless it ends with this code
// and says this.
func (h *host) says(code int, text string, args ...string) {
	h.t.Helper()
	out, got := h.verb(args...)
	if got != code || !strings.Contains(out, text) {
		h.t.Errorf("syncd %s ends with %d, want %d and %q\n%s", strings.Join(args, " "), got, code, text, out)
	}
}

// answers waits until a verb says both.
func (h *host) answers(word, text string, args ...string) {
	h.t.Helper()
	dockertest.Eventually(h.t, "syncd "+strings.Join(args, " ")+" says "+word, func() bool {
		out, _ := h.verb(args...)
		return strings.Contains(out, word) && strings.Contains(out, text)
	})
}

// verb runs a verb against the agent that runs on the host's state directory.
func (h *host) verb(args ...string) (out string, code int) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), passLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, agentProgram(h.t), append(args, "--socket", filepath.Join(h.state, "syncd.sock"))...)
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err := cmd.Run()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended):
		return buf.String(), ended.ExitCode()
	case err != nil:
		h.t.Fatal(err)
	}
	return buf.String(), 0
}
