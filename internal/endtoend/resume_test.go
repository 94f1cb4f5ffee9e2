package endtoend_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// cut makes a pass with an agent that ends abruptly at the first event that is
// the one, and tells whether there was one.
func (h *host) cut(is func(reconcile.Event) bool) bool {
	h.t.Helper()
	a, closeAgent := h.agent(func(o *reconcile.Options) { o.Grace = time.Nanosecond })
	defer closeAgent()
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	found := false
	_, err := a.Sync(ctx, reconcile.SyncRequest{Apps: []string{h.project}, Who: "test"}, func(e reconcile.Event) {
		if !found && is(e) {
			found = true
			cancel()
		}
	})
	if err != nil && ctx.Err() == nil {
		h.t.Fatal(err)
	}
	return found
}

// cutAt ends the agent when the step with this verb begins in the slot.
func (h *host) cutAt(slot string, verb apply.Verb) {
	h.t.Helper()
	found := h.cut(func(e reconcile.Event) bool {
		return e.Step != nil && e.Step.Phase == apply.Begun && e.Step.Step.Verb == verb && e.Step.Step.Key.String() == slot
	})
	if !found {
		h.t.Fatalf("there was no step %s %s\n%s", verb, slot, h.story())
	}
}

// cutIn ends the agent when its n-th step begins, and tells whether it came to
// that.
func (h *host) cutIn(n int) bool {
	h.t.Helper()
	seen := 0
	return h.cut(func(e reconcile.Event) bool {
		if e.Step != nil && e.Step.Phase == apply.Begun {
			seen++
		}
		return seen == n
	})
}

// mixed has a service of each way: start-first, and stop-first.
const mixed = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    depends_on: {db: {condition: service_healthy}}
    healthcheck: &quick {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 100ms, retries: 2}
  db:
    image: IMAGE
    environment: {APP_VERSION: "1", APP_WRITE: /data/born}
    volumes: ["data:/data"]
    healthcheck: *quick
volumes: {data: {}}
`

// mixedHost runs the first version of it, and soaks shortly.
func mixedHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 200ms, timeout: 20s}\n")
	h.deploy(mixed)
	h.want(h.sync(), reconcile.Applied)
	return h
}

// bothRun fails the test unless each service is one resting container of this
// version.
func (h *host) bothRun(when, v string) {
	h.t.Helper()
	for _, service := range []string{"web", "db"} {
		if c := h.one(service); env(c, "APP_VERSION") != v || !c.State.Running || strings.Contains(c.Name, ".") {
			h.t.Fatalf("%s: %s of version %s is %s, want version %s\n%s", when, c.Name, env(c, "APP_VERSION"), c.State.Status, v, h.story())
		}
	}
}

func TestAgentCutAtEveryStepIsResumed(t *testing.T) {
	t.Parallel()
	h := mixedHost(t)
	born := h.read(h.one("db").ID, "/data/born")
	for n, came := 1, true; came; n++ {
		v := fmt.Sprint(n + 1)
		commit := h.deploy(version(mixed, v))
		came = h.cutIn(n)
		h.sync()
		if good := h.record().Good.Revision.Commit; good != commit {
			t.Fatalf("cut in step %d: %s is good, want %s\n%s", n, good, commit, h.story())
		}
		h.bothRun(fmt.Sprintf("cut in step %d", n), v)
		h.settled()
	}
	if h.read(h.one("db").ID, "/data/born") != born {
		t.Error("the database woke up in another volume")
	}
}

func TestAgentCutAtEveryStepOfAFailingChangeGoesBack(t *testing.T) {
	t.Parallel()
	h := mixedHost(t)
	for n, came := 1, true; came; n++ {
		v := fmt.Sprintf(`"b%d`, n)
		commit := h.deploy(strings.NewReplacer(`"1"}`, v+`", APP_UNHEALTHY: "1"}`, `"1",`, v+`",`).Replace(mixed))
		came = h.cutIn(n)
		h.sync()
		h.want(h.sync(), reconcile.Held)
		if q := h.record().Quarantine; len(q) != n || q[n-1].Revision.Commit != commit {
			t.Fatalf("cut in step %d: %d revisions are in quarantine, want %d", n, len(q), n)
		}
		h.bothRun(fmt.Sprintf("cut in step %d", n), "1")
	}
}
