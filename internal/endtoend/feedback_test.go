package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
)

// statuses are those of GitHub, as its documentation says: each that is set is kept.
type statuses struct {
	*host
	config string
	token  string
	p      *process

	mu  sync.Mutex
	set map[string][]string // by commit, what was set: STATE DESCRIPTION
	bad string              // what was wrong with a request
}

func newStatuses(t *testing.T) *statuses {
	t.Helper()
	f := &statuses{host: newHost(t), token: dockertest.Name(), set: map[string][]string{}}
	in, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	f.must(err)
	s := &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(in) }() // it ends with Close
	t.Cleanup(func() { _ = s.Close(); <-done })
	file := filepath.Join(t.TempDir(), "token")
	f.must(os.WriteFile(file, []byte(f.token+"\n"), 0o600))
	f.config = filepath.Join(t.TempDir(), "syncd.yaml")
	f.must(os.WriteFile(f.config, fmt.Appendf(nil, `
host: {name: web-1}
repo: {url: %s, interval: 1s}
state: %s
socket: %s
feedback:
  - {provider: github, url: "http://%s", repository: acme/deploy, tokenFile: %s, environment: production}
`, f.repo, f.state, filepath.Join(f.state, "syncd.sock"), in.Addr(), file), 0o600))
	return f
}

// start runs the agent until the end of the test, or kill.
func (f *statuses) start() {
	f.t.Helper()
	var p *process
	f.t.Cleanup(func() { // once it has ended
		if strings.Contains(p.log.String(), f.token) {
			f.t.Errorf("the log holds the token:\n%s", p.log.String())
		}
	})
	p = f.launch(exec.Command(agentProgram(f.t), "run", "--config", f.config))
	f.p = p
}

// kill ends it as kill -9 does.
func (f *statuses) kill() {
	f.t.Helper()
	f.p.kill(f.t)
}

// ServeHTTP takes a status.
func (f *statuses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ State, Context, Description string }
	err := json.NewDecoder(r.Body).Decode(&body)
	commit, found := strings.CutPrefix(r.URL.Path, "/api/v3/repos/acme/deploy/statuses/")
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil || !found || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+f.token || body.Context != "syncd/web-1 (production)" || len([]rune(body.Description)) > 140 {
		f.bad = fmt.Sprintf("%s %s %v %+v", r.Method, r.URL, r.Header, body)
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	f.set[commit] = append(f.set[commit], body.State+" "+body.Description)
	w.WriteHeader(http.StatusCreated)
}

// of waits until the last status of a commit is of a state, and returns all of them.
func (f *statuses) of(commit, state string) []string {
	f.t.Helper()
	got := func() []string {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.bad != "" {
			f.t.Fatalf("a request is wrong: %s", f.bad)
		}
		return slices.Clone(f.set[commit])
	}
	deadline, tick := time.After(passLimit), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		if all := got(); len(all) > 0 && strings.HasPrefix(all[len(all)-1], state+" ") {
			return all
		}
		select {
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("%.10s is not %s: %q\n%s", commit, state, got(), f.p.log.String())
		}
	}
}

// A merge's page says that it is on its way, and then whether it is live; of one that
// fails, why. An agent that is killed meanwhile says it once it is back.
func TestAMergeHearsWhetherItIsLive(t *testing.T) {
	t.Parallel()
	f := newStatuses(t)
	merged := f.deploy(web)
	f.start()
	first := f.of(merged, "success")
	if !strings.HasPrefix(first[0], "pending under way: "+f.project) || first[len(first)-1] != "success live and healthy: "+f.project {
		t.Errorf("the first merge heard %q", first)
	}

	broken := f.deploy(strings.Replace(web, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	failed := f.of(broken, "failure")
	if !strings.HasPrefix(failed[0], "pending ") || len(failed) != 2 || !strings.Contains(failed[1], f.project+": ") {
		t.Errorf("the merge that fails heard %q", failed)
	}

	mend := f.deploy(version(web, "3"))
	f.of(mend, "pending")
	f.kill()
	f.start()
	if got := f.of(mend, "success"); got[len(got)-1] != "success live and healthy: "+f.project {
		t.Errorf("the mend heard %q", got)
	}
	if again := f.of(broken, "failure"); len(again) != 2 {
		t.Errorf("the merge that fails heard more: %q", again)
	}
}
