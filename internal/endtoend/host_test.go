package endtoend_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/state"
)

// passLimit bounds one pass of a test.
const passLimit = 2 * time.Minute

// probe is the health check of the tests' services: it knows soon.
const probe = `healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 200ms, retries: 3}`

// host is one test's Docker host: a repository, a state directory, and the agent
// between them. Everything carries the project's unique name and is removed at
// the end.
type host struct {
	t       testing.TB
	api     *client.Client
	project string
	image   string
	repo    string
	state   string
	vars    map[string]string
	engine  string            // the engine's address; empty is the local one
	labels  map[string]string // of the host
	secrets []string          // the host's env files
	// gateImage is gate.image; empty is none.
	gateImage string

	mu     sync.Mutex
	events []reconcile.Event
}

func newHost(t testing.TB) *host {
	t.Helper()
	built := dockertest.Image(t, "v1") // first: it is removed after the containers
	h := &host{t: t, api: dockertest.Client(t), project: dockertest.Project(t), image: built, repo: t.TempDir(), state: t.TempDir()}
	h.git("init", "--quiet", "--initial-branch=main")
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n")
	return h
}

// git runs the git program in the repository.
func (h *host) git(args ...string) string {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), "git", append([]string{"-c", "user.name=Dev", "-c", "user.email=dev@example.org"}, args...)...)
	cmd.Dir = h.repo
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// write puts a file into the app's directory.
func (h *host) write(name, content string) {
	h.t.Helper()
	h.place(filepath.Join(h.project, name), content)
}

// place puts a file anywhere into the repository. IMAGE, PROJECT and PROBE (a
// quick health check) are filled in.
func (h *host) place(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.repo, name)
	h.must(os.MkdirAll(filepath.Dir(path), 0o755))
	content = strings.NewReplacer("IMAGE", h.image, "PROJECT", h.project, "PROBE", probe).Replace(content)
	h.must(os.WriteFile(path, []byte(content), 0o644))
}

// merge commits all that was written, and returns the commit.
func (h *host) merge(subject string) string {
	h.t.Helper()
	h.git("add", "--all")
	h.git("commit", "--quiet", "--allow-empty", "-m", subject)
	return h.git("rev-parse", "HEAD")
}

// deploy writes the app's compose file and merges it.
func (h *host) deploy(compose string) string {
	h.t.Helper()
	h.write("compose.yaml", compose)
	return h.merge("change " + h.project)
}

// agent opens an agent on the host's state, which it holds until closed.
func (h *host) agent(change ...func(*reconcile.Options)) (*reconcile.Agent, func()) {
	h.t.Helper()
	child := sandbox.Child{Path: renderer(h.t)}
	src, err := source.Open(source.Options{URL: h.repo, Dir: filepath.Join(h.state, "source"), Child: child})
	h.must(err)
	store, err := state.Open(h.state)
	h.must(err)
	mounts := filepath.Join(h.state, "mounts")
	eng, err := docker.Open(h.t.Context(), docker.Options{Host: h.engine, Mounts: mounts, GateProgram: gateProgram(h.t), GateImage: h.gateImage})
	h.must(err)
	conf := config.Host{State: h.state, Repo: config.Repo{URL: h.repo}, Host: config.HostInfo{Vars: h.vars, Labels: h.labels, EnvFiles: h.secrets}}.Defaults()
	conf.Repo.Interval = config.Duration(200 * time.Millisecond)
	opts := reconcile.Options{
		Host: conf, Source: src, Renderer: &render.Child{Sandbox: child}, Engine: engine{eng},
		Store: store, Mounts: state.Mounts{Dir: mounts}, Hear: h.hear,
	}
	for _, c := range change {
		c(&opts)
	}
	a, err := reconcile.New(opts)
	h.must(err)
	return a, func() {
		src.Close()
		h.must(eng.Close())
		h.must(store.Close())
	}
}

// sync makes one pass over the app, with an agent of its own.
func (h *host) sync(change ...func(*reconcile.Options)) reconcile.Result {
	h.t.Helper()
	a, closeAgent := h.agent(change...)
	defer closeAgent()
	return h.pass(a)
}

func (h *host) pass(a *reconcile.Agent) reconcile.Result {
	h.t.Helper()
	return h.passOver(a, h.project)[0]
}

// syncApp makes one pass over another app of the repository.
func (h *host) syncApp(app string) reconcile.Result {
	h.t.Helper()
	a, closeAgent := h.agent()
	defer closeAgent()
	return h.passOver(a, app)[0]
}

// passOver makes one pass over the named apps, and returns how each ended.
func (h *host) passOver(a *reconcile.Agent, apps ...string) []reconcile.Result {
	h.t.Helper()
	ctx, stop := context.WithTimeout(h.t.Context(), passLimit)
	defer stop()
	results, err := a.Sync(ctx, reconcile.SyncRequest{Apps: apps, Who: "test"}, nil)
	h.must(err)
	return results
}

// want fails the test unless a pass ended with this outcome.
func (h *host) want(res reconcile.Result, outcome reconcile.Outcome) reconcile.Result {
	h.t.Helper()
	if res.Outcome != outcome {
		h.t.Fatalf("the pass ended %s (%s), want %s\n%s\n%s", res.Outcome, res.Reason, outcome, res.Plan, h.story())
	}
	return res
}

// settled fails the test unless a second pass finds nothing to do.
func (h *host) settled() {
	h.t.Helper()
	h.want(h.sync(), reconcile.Unchanged)
}

func (h *host) hear(e reconcile.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// story is what the agent told, one event a line.
func (h *host) story() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var b strings.Builder
	for _, e := range h.events {
		if e.Step != nil && e.Step.Phase != apply.Waiting {
			fmt.Fprintf(&b, "%-9s %s %s\n", e.Step.Phase, e.Step.Step, e.Step.Detail)
		}
		if e.Result != nil {
			fmt.Fprintf(&b, "= %s %s\n", e.Result.Outcome, e.Result.Reason)
		}
	}
	return b.String()
}

// service returns the live containers of a service, in no order.
func (h *host) service(name string) []container.InspectResponse {
	h.t.Helper()
	var out []container.InspectResponse
	for _, c := range dockertest.Containers(h.t, h.api, h.project) {
		if c.Config.Labels["com.docker.compose.service"] == name {
			out = append(out, c)
		}
	}
	return out
}

// one returns the only container of a service.
func (h *host) one(name string) container.InspectResponse {
	h.t.Helper()
	list := h.service(name)
	if len(list) != 1 {
		h.t.Fatalf("service %s has %d containers, want 1\n%s", name, len(list), h.story())
	}
	return list[0]
}

// env returns a variable of a container.
func env(c container.InspectResponse, name string) string {
	for _, line := range c.Config.Env {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return value
		}
	}
	return ""
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// engine is the Docker engine as the agent sees it.
type engine struct{ *docker.Engine }

func (e engine) Target(app string) apply.Target { return e.Engine.Target(app) }
