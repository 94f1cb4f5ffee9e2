package endtoend_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// gated is a service behind a gate; it needs half a second to start.
const gated = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1", APP_HEALTHY_AFTER: 500ms}
    ports: ["PORT:8080"]
    x-syncd: {gate: MODE, drain: 2s}
    deploy: {update_config: {order: ORDER}, rollback_config: {order: ORDER}}
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 100ms, retries: 10}
`

// load is a steady stream of requests, each on a connection of its own.
type load struct {
	t      testing.TB
	end    context.CancelFunc
	all    sync.WaitGroup
	mu     sync.Mutex
	total  int
	lost   []string
	served map[string]int // by version
}

// loaded sends requests to a port until the returned load is ended.
func loaded(t testing.TB, port string) *load {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	l := &load{t: t, end: end, served: map[string]int{}}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	l.all.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.all.Go(func() { l.one(client, port) })
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.end()
	l.all.Wait()
}

func (l *load) one(client *http.Client, port string) {
	version, err := get(client, port)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	if err != nil {
		l.lost = append(l.lost, err.Error())
		return
	}
	l.served[version]++
}

func get(client *http.Client, port string) (string, error) {
	res, err := client.Get(fmt.Sprintf("http://%s/", port))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return strings.TrimSpace(string(body)), err
}

// report ends the load and fails the test where a request was lost.
func (l *load) report(what string) {
	l.t.Helper()
	l.stop()
	if len(l.lost) > 0 {
		l.t.Errorf("%s: %d of %d requests lost, the first: %s", what, len(l.lost), l.total, l.lost[0])
	}
	l.t.Logf("%s: %d requests, %v", what, l.total, l.served)
}

// withoutGates removes what gates share, once the test's own are gone, unless
// those of others still use it.
func withoutGates(t *testing.T) {
	t.Helper()
	api := dockertest.Client(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
		defer cancel()
		if err := api.NetworkRemove(ctx, "0-syncd-edge"); err != nil && !cerrdefs.IsNotFound(err) && !inUse(err) {
			t.Errorf("clean up: %v", err)
		}
		images, err := api.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", "syncd-gate"))})
		if err != nil {
			t.Errorf("clean up: %v", err)
		}
		for _, i := range images {
			if _, err := api.ImageRemove(ctx, i.ID, image.RemoveOptions{}); err != nil && !inUse(err) && !cerrdefs.IsNotFound(err) {
				t.Errorf("clean up: %v", err)
			}
		}
	})
}

// inUse tells that others use something, or have just removed it.
func inUse(err error) bool {
	return cerrdefs.IsConflict(err) || cerrdefs.IsPermissionDenied(err) || strings.Contains(err.Error(), "unrecognized image ID")
}

func TestNoRequestIsLostBehindAGate(t *testing.T) {
	for name, c := range map[string]struct{ mode, order string }{
		"connections": {"tcp", "start-first"},
		"requests":    {"http", "start-first"},
		"held":        {"tcp", "stop-first"}, // nobody serves meanwhile: they wait
	} {
		t.Run(name, func(t *testing.T) {
			withoutGates(t)
			h := newHost(t)
			port := freePort(t)
			compose := strings.NewReplacer("PORT", port, "MODE", c.mode, "ORDER", c.order).Replace(gated)
			h.deploy(compose)
			h.want(h.sync(), reconcile.Applied)
			l := loaded(t, port)
			h.deploy(version(compose, "2"))
			h.want(h.sync(), reconcile.Applied)
			h.deploy(strings.Replace(version(compose, "3"), "APP_HEALTHY_AFTER: 500ms", "APP_UNHEALTHY: 'yes'", 1))
			h.want(h.sync(), reconcile.RolledBack)
			l.report("a change and a rollback")
			if n := l.served["3"]; n > 0 {
				t.Errorf("the broken version served %d requests", n)
			}
			h.want(h.sync(), reconcile.Held)
		})
	}
}

// Whose port a gate serves is drift like any other: a gate that somebody removed
// comes back, and one that nothing wants goes.
func TestAGateIsRepairedAndGivesItsPortBack(t *testing.T) {
	withoutGates(t)
	h := newHost(t)
	port := freePort(t)
	compose := strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
	plain := strings.Replace(compose, "    x-syncd: {gate: tcp, drain: 2s}\n", "", 1)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answers := func(when string) {
		if got, err := get(client, port); err != nil || got != "1" {
			t.Errorf("%s: %q, %v", when, got, err)
		}
	}
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	answers("a gate took the port over")
	h.settled()
	gate := h.project + "-web-gate-" + strings.ReplaceAll(port, ":", "-")
	h.must(h.api.ContainerRemove(t.Context(), gate, container.RemoveOptions{Force: true}))
	h.want(h.sync(), reconcile.Applied)
	answers("the gate was made again")
	h.settled()
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	answers("the gate gave the port back")
	h.settled()
	if _, err := h.api.ContainerInspect(t.Context(), gate); !cerrdefs.IsNotFound(err) {
		t.Errorf("the gate is still there: %v", err)
	}
}
