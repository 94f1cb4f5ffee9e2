package endtoend_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// A whole story at the loudest level, with secrets wherever one may stand: none of them
// is in the log, in the metrics, or in what the socket answers.
func TestNothingSecretIsSaidAtTheLoudestLevel(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	secrets, metrics := t.TempDir(), freePort(t)
	plant := func(name, value string) string {
		file := filepath.Join(secrets, name)
		h.must(os.WriteFile(file, []byte(value+"\n"), 0o600))
		return file
	}
	asked := make(chan string, 1000)
	ward := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.URL.Path:
		default:
		}
		w.WriteHeader(http.StatusInternalServerError) // it fails, which is logged
	}))
	t.Cleanup(ward.Close)
	values := plant("values", "DB_PASSWORD=planted-alpha-1\nAPI_TOKEN=planted-beta-1")
	socket := filepath.Join(h.state, "syncd.sock")
	config := filepath.Join(secrets, "syncd.yaml")
	h.must(os.WriteFile(config, fmt.Appendf(nil, `
host: {envFiles: [%s], vars: {GREETING: planted-var-1}}
repo: {url: %s, interval: 1s, mirrors: [{url: "http://127.0.0.1:9/x.git", auth: {allowHTTP: true}}]}
state: %s
socket: %s
metrics: {listen: "%s"}
registries: {configs: {"127.0.0.1:9": {auth: {username: bot, passwordFile: %s}}}}
heartbeat: {urlFile: %s, interval: 1s}
notify:
  channels:
    chat: {type: slack, urlFile: %s, pause: 0s, timeout: 5s}
    hook: {type: webhook, url: "%s/planted-hook-1", secretFile: %s, tokenEnv: HOOK_TOKEN, pause: 0s, timeout: 5s}
  routes: [{to: [chat, hook], group: 100ms}]
`, values, h.repo, h.state, socket, metrics, plant("login", "planted-login-1"), plant("beat", ward.URL+"/planted-ping-1"),
		plant("slack", ward.URL+"/planted-slack-1"), ward.URL, plant("hmac", "planted-hmac-1")), 0o600))
	h.deploy(secretive)
	cmd := exec.Command(agentProgram(t), "run", "--config", config, "--log-level", "debug", "--log-format", "json")
	cmd.Env = append(os.Environ(), "HOOK_TOKEN=planted-token-1", "UNRELATED_PASSWORD=planted-environment-1")
	p := h.launch(cmd)
	ended := false
	end := func() {
		if !ended {
			ended = true
			h.must(p.cmd.Process.Signal(syscall.SIGTERM))
			if err := p.cmd.Wait(); err != nil {
				t.Errorf("syncd run ended with %v", err)
			}
		}
	}
	t.Cleanup(end)
	logs := func(what string) {
		t.Helper()
		dockertest.Eventually(t, "the log has "+what, func() bool { return strings.Contains(p.log.String(), what) })
	}
	logs(`"outcome":"applied"`)
	plant("values", "DB_PASSWORD=planted-alpha-2\nAPI_TOKEN=planted-beta-2")
	h.deploy(strings.Replace(secretive, `"1",`, `"2", APP_UNHEALTHY: "1",`, 1))
	logs(`"outcome":"rolled back"`)
	logs("the heartbeat does not go through")
	for _, sent := range []string{"/planted-ping-1", "/planted-slack-1", "/planted-hook-1"} {
		dockertest.Eventually(t, sent+" is asked", func() bool { return (<-asked) == sent })
	}

	for _, page := range []string{"/metrics", "/healthz?verbose", "/readyz?verbose"} {
		h.clean("http "+page, get(t, "", "http://"+metrics+page))
		h.clean("the socket's "+page, get(t, socket, "http://syncd"+page))
	}
	for _, path := range []string{"about", "status", "apps/" + h.project + "/history", "apps/" + h.project + "/explain", "apps/" + h.project + "/rendered", "apps/" + h.project + "/logs"} {
		h.clean("the socket's "+path, get(t, socket, "http://syncd/v1/"+path))
	}
	end()
	log := p.log.String()
	h.clean("the log", log)
	for _, said := range []string{`"level":"DEBUG"`, "rendered: nothing known was made", "the plan has ", `"rollout":"`} {
		if !strings.Contains(log, said) {
			t.Errorf("the log lacks %s: this test has looked at too little", said)
		}
	}
}

// get asks for a page, at a socket where one is given; the answer must not be empty.
func get(t *testing.T, socket, url string) string {
	t.Helper()
	web := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		var d net.Dialer
		if socket != "" {
			network, address = "unix", socket
		}
		return d.DialContext(ctx, network, address)
	}}}
	res, err := web.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || len(body) == 0 || res.StatusCode != http.StatusOK {
		t.Errorf("%s answers %s, %q, %v", url, res.Status, body, err)
	}
	return string(body)
}
