package endtoend_test

import (
	"strings"
	"sync"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// tasting asks a port a hundred times when a canary begins, and counts who
// answers, by version.
type tasting struct {
	mu     sync.Mutex
	served map[string]int
	failed []error
	// then comes after the last request.
	then func()
}

func (c *tasting) hear(port string, next func(reconcile.Event)) func(reconcile.Event) {
	return func(e reconcile.Event) {
		next(e)
		if e.Step == nil || e.Step.Phase != apply.Begun || e.Step.Step.For == 0 {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.served = map[string]int{}
		for range 100 {
			version, err := askOnce(port)
			if err != nil {
				c.failed = append(c.failed, err)
			}
			c.served[version]++
		}
		if c.then != nil {
			c.then()
		}
	}
}

// A new version gets its share first. One that dies with it goes, and has
// never had more.
func TestACanaryGetsItsShareFirst(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	compose := strings.NewReplacer("PORT", port, "MODE", "http, canary: {share: 20, for: 3s}", "ORDER", "start-first").Replace(gated)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	var tasted tasting
	change := func(o *reconcile.Options) { o.Hear = tasted.hear(port, h.hear) }
	h.deploy(version(compose, "2"))
	h.want(h.sync(change), reconcile.Applied)
	if tasted.served["2"] != 20 || tasted.served["1"] != 80 {
		t.Errorf("as a canary, version 2 served %v, %v", tasted.served, tasted.failed)
	}
	h.settled()
	tasted.then = func() {
		for _, c := range h.service("web") {
			if env(c, "APP_VERSION") == "3" {
				h.must(h.api.ContainerKill(t.Context(), c.ID, "KILL"))
			}
		}
	}
	h.deploy(version(compose, "3"))
	h.want(h.sync(change), reconcile.RolledBack)
	if tasted.served["3"] != 20 || tasted.served["2"] != 80 {
		t.Errorf("as a canary, version 3 served %v, %v", tasted.served, tasted.failed)
	}
	h.want(h.sync(), reconcile.Held)
	if got := h.asked(port); got != "2" {
		t.Errorf("after the rollback: %q", got)
	}
}
