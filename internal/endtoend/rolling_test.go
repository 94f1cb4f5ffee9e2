package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

const three = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    deploy: {replicas: 3, update_config: {parallelism: 1, order: ORDER}}
    PROBE
`

func TestRollingChangeKeepsTwoOfThreeHealthy(t *testing.T) {
	t.Parallel()
	for order, fewest := range map[string]int{"stop-first": 2, "start-first": 3} {
		t.Run(order, func(t *testing.T) {
			h := newHost(t)
			compose := strings.Replace(three, "ORDER", order, 1)
			h.deploy(compose)
			h.want(h.sync(), reconcile.Applied)
			before := h.service("web")
			h.deploy(version(compose, "2"))
			journal := h.journal(func() { h.want(h.sync(), reconcile.Applied) })
			if got := fewestHealthy(journal, "web", before); got < fewest {
				t.Errorf("only %d of 3 were healthy at one time, want %d at least", got, fewest)
			}
			for _, c := range h.service("web") {
				if env(c, "APP_VERSION") != "2" {
					t.Errorf("%s still is of the old version", c.Name)
				}
				if strings.Contains(c.Name, ".") {
					t.Errorf("%s is no resting name", c.Name)
				}
			}
			h.settled()
		})
	}
}

func TestFailedRollingChangeStopsAtItsFirstBatch(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(three, "ORDER", "stop-first", 1)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	before := h.service("web")
	h.deploy(strings.Replace(compose, `"1"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	journal := h.journal(func() { h.want(h.sync(), reconcile.RolledBack) })
	if got := fewestHealthy(journal, "web", before); got < 2 {
		t.Errorf("only %d of 3 were healthy at one time, want 2 at least", got)
	}
	after := map[string]bool{}
	for _, c := range h.service("web") {
		after[c.ID] = true
	}
	for _, c := range before {
		if !after[c.ID] {
			t.Errorf("%s was replaced: a rollback only starts it again", c.Name)
		}
	}
}
