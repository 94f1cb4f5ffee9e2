package endtoend_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// Where nobody is to come, who waits is told so, and whoever comes is refused.
func TestAnEndedHoldTurnsAwayWhoWaits(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	h.deploy(strings.NewReplacer("PORT", port, "MODE", "http", "ORDER", "start-first").Replace(gated))
	h.want(h.sync(), reconcile.Applied)
	eng, err := docker.Open(t.Context(), docker.Options{Mounts: filepath.Join(h.state, "mounts")})
	h.must(err)
	t.Cleanup(func() { _ = eng.Close() })
	gates, err := eng.Gates(t.Context(), h.project, true)
	h.must(err)
	raw, err := resource.Canonical(spec.Route{Service: "web", Mode: "http", Port: spec.Port{Target: 80}})
	h.must(err)
	seconds := 0
	h.must(h.api.ContainerStop(t.Context(), gates[0].Backends[0].ID, container.StopOptions{Timeout: &seconds}))
	target := eng.Target(h.project)
	_, err = target.Route(t.Context(), resource.Object{Key: gates[0].Route, Group: "web", Spec: raw}, apply.Traffic{Hold: true})
	h.must(err)
	waits := make(chan time.Duration, 1)
	go func() {
		begun := time.Now()
		if _, err := askOnce(port); err == nil {
			t.Error("somebody answered")
		}
		waits <- time.Since(begun)
	}()
	looks := time.NewTicker(50 * time.Millisecond)
	defer looks.Stop()
	end := time.Now().Add(2 * time.Minute)
	for waiting := 0; waiting == 0; <-looks.C {
		if time.Now().After(end) {
			t.Fatal("nobody waits")
		}
		now, err := eng.Gates(t.Context(), h.project, true)
		h.must(err)
		waiting = now[0].Waiting
	}
	h.must(target.Refuse(t.Context()))
	t.Logf("it waited for %v", <-waits)
	now, err := eng.Gates(t.Context(), h.project, true)
	h.must(err)
	if now[0].Listening || now[0].Waiting != 0 || now[0].Totals.Refused != 1 {
		t.Errorf("it says %+v", now[0])
	}
	h.want(h.sync(), reconcile.Applied)
	_, err = askOnce(port)
	h.must(err)
}
