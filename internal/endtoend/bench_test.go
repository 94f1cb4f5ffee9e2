package endtoend_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// fifty is an app of that many services.
func fifty() string {
	var b strings.Builder
	b.WriteString("services:\n")
	for n := range 50 {
		fmt.Fprintf(&b, "  s%d: {image: IMAGE, environment: {APP_VERSION: \"1\"}, stop_grace_period: 1s}\n", n)
	}
	return b.String()
}

// ms reports a duration in milliseconds per operation.
func ms(b *testing.B, total time.Duration, name string) {
	b.Helper()
	b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), name)
}

// used is the CPU time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkNoOpPass50 is a pass over 50 services in which nothing differs.
func BenchmarkNoOpPass50(b *testing.B) {
	h := newHost(b)
	h.deploy(fifty())
	h.want(h.sync(), reconcile.Applied)
	p := newProxy(b)
	h.engine = p.address
	h.settled()
	calls := len(p.take())
	h.engine = ""
	a, closeAgent := h.agent()
	defer closeAgent()
	h.want(h.pass(a), reconcile.Unchanged)
	var observed time.Duration
	begun := used(b)
	for b.Loop() {
		observed += h.want(h.pass(a), reconcile.Unchanged).Phases.Observe.D()
	}
	ms(b, used(b)-begun, "cpu-ms/op")
	ms(b, observed, "observe-ms/op")
	b.ReportMetric(float64(calls), "calls/op")
}

// BenchmarkCommitToStarted is the time from a commit to the new container's
// start, without what the engine itself needs for it.
func BenchmarkCommitToStarted(b *testing.B) {
	h := newHost(b)
	h.deploy(web)
	a, _ := h.run()
	h.awaitOutcome(0, reconcile.Applied)
	var total, engine time.Duration
	n := 1
	for b.Loop() {
		n++
		engine += h.engineStart(b)
		h.write("compose.yaml", version(web, fmt.Sprint(n)))
		h.git("add", "--all")
		mark := h.mark()
		h.git("commit", "--quiet", "-m", "change")
		begun := time.Now()
		a.Look()
		h.awaitOutcome(mark, reconcile.Applied)
		total += started(b, h.one("web")).Sub(begun)
	}
	ms(b, total, "total-ms/op")
	ms(b, engine, "engine-ms/op")
	ms(b, total-engine, "overhead-ms/op")
}

func started(b testing.TB, c container.InspectResponse) time.Time {
	b.Helper()
	at, err := time.Parse(time.RFC3339Nano, c.State.StartedAt)
	if err != nil {
		b.Fatal(err)
	}
	return at
}

// engineStart is what the engine needs from create to started for a container
// like web's.
func (h *host) engineStart(b *testing.B) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), dockertest.Limit)
	defer cancel()
	like := h.one("web")
	begun := time.Now()
	host := &container.HostConfig{NetworkMode: like.HostConfig.NetworkMode}
	made, err := h.api.ContainerCreate(ctx, &container.Config{Image: h.image}, host, nil, nil, h.project+"-measure-"+dockertest.Name())
	h.must(err)
	h.must(h.api.ContainerStart(ctx, made.ID, container.StartOptions{}))
	in, err := h.api.ContainerInspect(ctx, made.ID)
	h.must(err)
	h.must(h.api.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true}))
	return started(b, in).Sub(begun)
}

// BenchmarkRollback is the time from the failed verdict on a stop-first service
// until its old instance serves again.
func BenchmarkRollback(b *testing.B) {
	h := newHost(b)
	address := freePort(b)
	compose := strings.Replace(published, "PORT", address, 1)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	var total time.Duration
	n := 1
	for b.Loop() {
		n++
		h.deploy(strings.Replace(compose, `"1"}`, fmt.Sprintf(`"%d", APP_UNHEALTHY: "1"}`, n), 1))
		mark := h.mark()
		served := make(chan time.Time, 1)
		go func() {
			h.awaitStep(mark, "container/web/1", apply.FailedNow)
			served <- serves(b, address, "1")
		}()
		h.want(h.sync(), reconcile.RolledBack)
		at := <-served
		for _, e := range h.since(mark) {
			if e.Step != nil && e.Step.Phase == apply.FailedNow {
				total += at.Sub(e.At)
				break
			}
		}
	}
	ms(b, total, "rollback-ms/op")
}

// serves returns when the address first answered with this version.
func serves(b *testing.B, address, version string) (at time.Time) {
	b.Helper()
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	dockertest.Eventually(b, "the old version serves", func() bool {
		answer, err := client.Get("http://" + address)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		at = time.Now()
		return err == nil && strings.TrimSpace(string(body)) == version
	})
	return at
}

// BenchmarkIdleRSS is the memory of the real agent with 50 services, at rest.
func BenchmarkIdleRSS(b *testing.B) {
	h := newHost(b)
	h.deploy(fifty())
	p := h.runProcess("  url: " + h.repo + "\n  interval: 1s\n")
	h.deployed(p)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var rss int64
	for b.Loop() {
		for range 15 { // what the deploy needed goes back in the meantime
			<-ticker.C
		}
		var err error
		rss, err = p.rss()
		h.must(err)
	}
	b.ReportMetric(float64(rss)/(1<<20), "rss-MiB")
}

// BenchmarkIdlePollCPU is what the real agent needs for a poll over HTTPS that
// finds nothing new.
func BenchmarkIdlePollCPU(b *testing.B) {
	h := newHost(b)
	h.deploy(strings.Replace(web, "PROBE", "", 1))
	url, ca, polls := h.gitServer(b)
	p := h.runProcess("  url: " + url + "\n  interval: 1s\n  auth: {caFile: " + ca + "}\n")
	h.deployed(p)
	const many = 10
	var total time.Duration
	wait := func(n int64) {
		until := polls.Load() + n
		dockertest.Eventually(b, "the agent polls", func() bool { return polls.Load() >= until })
	}
	wait(3)
	for b.Loop() {
		before, err := p.cpu()
		h.must(err)
		wait(many)
		after, err := p.cpu()
		h.must(err)
		total += after - before
	}
	ms(b, total/many, "cpu-ms/poll")
}

// gitServer serves the repository over HTTPS and counts what asks for its refs.
func (h *host) gitServer(b testing.TB) (url, ca string, polls *atomic.Int64) {
	b.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	h.must(err)
	polls = new(atomic.Int64)
	backend := &cgi.Handler{
		Path:       filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:        []string{"GIT_PROJECT_ROOT=" + filepath.Dir(h.repo), "GIT_HTTP_EXPORT_ALL=1"},
		InheritEnv: []string{"PATH", "HOME"},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		backend.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/git-upload-pack") || strings.HasSuffix(r.URL.Path, "/info/refs") {
			polls.Add(1)
		}
	}))
	b.Cleanup(server.Close)
	ca = filepath.Join(b.TempDir(), "ca.pem")
	h.must(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	return server.URL + "/" + filepath.Base(h.repo), ca, polls
}
