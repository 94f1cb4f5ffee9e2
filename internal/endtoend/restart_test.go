package endtoend_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// private is a Docker engine of the test's own, which it may restart.
type private struct {
	t       *testing.T
	dir     string
	address string
	api     *client.Client
	process *exec.Cmd
	log     bytes.Buffer
}

// newPrivate starts one without networks beside those that projects make.
func newPrivate(t *testing.T) *private {
	t.Helper()
	dir, err := os.MkdirTemp("", "sd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // a temporary directory
	p := &private{t: t, dir: dir, address: "unix://" + filepath.Join(dir, "d.sock")}
	if p.api, err = client.NewClientWithOpts(client.WithHost(p.address), client.WithAPIVersionNegotiation()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.api.Close() }) //nolint:errcheck // nothing is left to do about it
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *private) start() {
	p.t.Helper()
	p.process = exec.Command("dockerd", "--data-root", filepath.Join(p.dir, "data"), "--exec-root", filepath.Join(p.dir, "exec"),
		"--pidfile", filepath.Join(p.dir, "pid"), "-H", p.address, "--bridge=none", "--iptables=false", "--ip6tables=false")
	p.process.Stdout, p.process.Stderr = &p.log, &p.log
	// In a network of its own: with --bridge=none an engine removes docker0, which
	// belongs to the machine's own engine.
	p.process.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := p.process.Start(); err != nil {
		p.t.Fatalf("start an engine: %v", err)
	}
	dockertest.Eventually(p.t, "the private engine answers", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := p.api.Ping(ctx)
		return err == nil
	})
}

// stop ends the engine and, as it does so, its containers.
func (p *private) stop() {
	p.t.Helper()
	if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("stop the engine: %v", err)
	}
	if err := p.process.Wait(); err != nil {
		p.t.Logf("the engine ended with %v\n%s", err, p.log.String())
	}
}

// load copies an image from the local engine.
func (p *private) load(from *client.Client, image string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
	defer cancel()
	saved, err := from.ImageSave(ctx, []string{image})
	if err != nil {
		p.t.Fatal(err)
	}
	defer saved.Close()
	answer, err := p.api.ImageLoad(ctx, saved)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := new(bytes.Buffer).ReadFrom(answer.Body); err != nil {
		p.t.Fatal(err)
	}
}

const detached = `
services:
  web:
    image: IMAGE
    restart: always
    network_mode: none
    environment: {APP_VERSION: "1"}
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 200ms, retries: 300}
`

func TestEngineRestartedInMidRolloutBlamesNobody(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	for name, compose := range map[string]string{
		"that revives containers":  detached,
		"that leaves them stopped": strings.Replace(detached, "restart: always", `restart: "no"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			h := p.host(t)
			h.deploy(compose)
			h.want(h.sync(), reconcile.Applied)
			// Not before the engine is down, also where it takes its time to stop.
			h.deploy(version(compose, `2", APP_HEALTHY_AFTER: "20s`))
			res := h.syncWhile(func() { p.stop(); p.start() })
			if res.Outcome == reconcile.Unreachable {
				res = h.sync()
			}
			h.want(res, reconcile.Applied)
			if q := h.record().Quarantine; len(q) > 0 {
				t.Errorf("the revision is in quarantine: %s", q[0].Reason)
			}
			if c := h.one("web"); env(c, "APP_VERSION") != "2" || !c.State.Running {
				t.Errorf("version %s is %s, want 2 running", env(c, "APP_VERSION"), c.State.Status)
			}
			h.settled()
		})
	}
}

// host is one whose engine is p.
func (p *private) host(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	p.load(h.api, h.image)
	h.api, h.engine = p.api, p.address
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 60s}\n")
	return h
}

// syncWhile makes a pass, and does something while it waits for health.
func (h *host) syncWhile(do func()) reconcile.Result {
	h.t.Helper()
	a, closeAgent := h.agent()
	defer closeAgent()
	awaited, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		<-awaited
		do()
	}()
	ctx, cancel := context.WithTimeout(h.t.Context(), passLimit)
	defer cancel()
	results, err := a.Sync(ctx, reconcile.SyncRequest{Apps: []string{h.project}}, func(e reconcile.Event) {
		if e.Step != nil && e.Step.Phase == apply.Waiting {
			select {
			case awaited <- struct{}{}:
			default:
			}
		}
	})
	<-done
	h.must(err)
	return results[0]
}

// lingering has a service that takes its time to end: until then its engine answers.
const lingering = detached + `
  slow:
    image: IMAGE
    restart: always
    network_mode: none
    stop_grace_period: 2s
    environment: {APP_IGNORE_TERM: "1"}
`

// An engine that ends stops its containers while it answers still, and starts none: that
// is nobody's drift. What it leaves stopped is, and is told once.
func TestEngineRestartIsNoDrift(t *testing.T) {
	t.Parallel()
	p := newPrivate(t)
	for name, c := range map[string]struct {
		compose string
		told    []string
	}{
		"that revives containers":  {lingering, nil},
		"that leaves them stopped": {strings.ReplaceAll(lingering, "restart: always", `restart: "no"`), []string{"opened", "resolved"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := p.host(t)
			h.deploy(c.compose)
			a, stop := h.run()
			defer stop()
			h.awaitOutcome(0, reconcile.Applied)
			p.stop()
			p.start()
			dockertest.Eventually(t, "all is as it should be", func() bool { return h.pass(a).Outcome == reconcile.Unchanged })
			var told []string
			for _, e := range h.drifts(a) {
				told = append(told, e.Outcome)
			}
			if !h.one("web").State.Running || !h.one("slow").State.Running || !slices.Equal(told, c.told) {
				t.Errorf("the containers are %s and %s, and told is %+v, want %v", h.one("web").State.Status, h.one("slow").State.Status, h.drifts(a), c.told)
			}
		})
	}
}
