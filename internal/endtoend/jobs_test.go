package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// migrated is a service behind a migration; every schema is a migration of its own.
const migrated = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    depends_on: {migrate: {condition: service_completed_successfully}}
    PROBE
  migrate:
    image: IMAGE
    environment: {SCHEMA: "1", APP_EXIT: "0", APP_SAY: "schema"}
`

// schema is the app with another schema, and more in the environment of web.
func schema(n, rest string) string {
	return strings.NewReplacer(`SCHEMA: "1"`, `SCHEMA: "`+n+`"`, `APP_VERSION: "1"`, `APP_VERSION: "`+n+`"`+rest).Replace(migrated)
}

const neverHealthy = `, APP_UNHEALTHY: "1"`

// migratedHost is one that runs the first schema, under the given jobs.
func migratedHost(t *testing.T, jobs string) *host {
	t.Helper()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n"+jobs)
	h.deploy(migrated)
	h.want(h.sync(), reconcile.Applied)
	return h
}

// onDemand are services that run only because the jobs say so.
const onDemand = `
  backup:
    image: IMAGE
    environment: {APP_EXIT: "0"}
  undo:
    image: IMAGE
    environment: {APP_EXIT: "0"}
`

func TestFailingJobIsRolledBack(t *testing.T) {
	t.Parallel()
	h := migratedHost(t, "")
	was := h.one("web").ID
	h.deploy(strings.Replace(schema("2", ""), `APP_EXIT: "0", APP_SAY: "schema`, `APP_EXIT: "5", APP_SAY: "no such table in`, 1))
	res := h.want(h.sync(), reconcile.RolledBack)
	for _, part := range []string{"migrate", "exit 5", "no such table"} {
		if !strings.Contains(res.Reason, part) {
			t.Errorf("the reason lacks %q: %s", part, res.Reason)
		}
	}
	if h.one("web").ID != was {
		t.Error("what waits for the job was replaced before it succeeded")
	}
	h.want(h.sync(), reconcile.Held)
}

func TestJobRunsOncePerInput(t *testing.T) {
	t.Parallel()
	h := migratedHost(t, "")
	was := h.one("migrate")
	h.deploy(strings.Replace(migrated, `APP_VERSION: "1"`, `APP_VERSION: "2"`, 1))
	h.want(h.sync(), reconcile.Applied)
	if is := h.one("migrate"); is.ID != was.ID || is.State.StartedAt != was.State.StartedAt {
		t.Error("the same job ran again")
	}
	h.deploy(schema("2", ""))
	h.want(h.sync(), reconcile.Applied)
	if h.one("migrate").ID == was.ID {
		t.Error("the job did not run with its new input")
	}
	h.deploy(schema("1", ""))
	h.untouchedJob(func() { h.want(h.sync(), reconcile.Applied) })
	h.settled()
}

// untouchedJob fails the test if do started the migration.
func (h *host) untouchedJob(do func()) {
	h.t.Helper()
	for _, m := range h.journal(do) {
		if m.Action == "start" && m.Actor.Attributes["com.docker.compose.service"] == "migrate" {
			h.t.Error("a job ran again that had exited 0 with this input")
		}
	}
}

func TestMigrationThenFailureHaltsByDefault(t *testing.T) {
	t.Parallel()
	h := migratedHost(t, "")
	h.deploy(schema("2", neverHealthy))
	res := h.want(h.sync(), reconcile.Halted)
	if !strings.Contains(res.Reason, "job migrate ran") || !strings.Contains(res.Reason, "onRollback") {
		t.Errorf("the reason does not say what to decide: %s", res.Reason)
	}
	h.want(h.sync(), reconcile.Halted)
	h.deploy(schema("2", ""))
	h.untouchedJob(func() { h.want(h.sync(), reconcile.Applied) })
	h.settled()
}

func TestMigrationThenFailureWithKeep(t *testing.T) {
	t.Parallel()
	h := migratedHost(t, "jobs: {migrate: {onRollback: keep}}\n")
	was := h.one("web").ID
	h.deploy(schema("2", neverHealthy))
	h.want(h.sync(), reconcile.RolledBack)
	if h.one("web").ID != was {
		t.Error("the old web was replaced")
	}
	h.want(h.sync(), reconcile.Held)
}

func TestMigrationThenFailureRunsTheWayBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\njobs: {migrate: {onRollback: 'run: undo', before: backup}}\n")
	h.deploy(migrated + onDemand)
	h.want(h.sync(), reconcile.Applied)
	if len(h.service("undo")) > 0 {
		t.Fatal("the way back ran without a reason")
	}
	h.deploy(schema("2", neverHealthy) + onDemand)
	var order []string
	journal := h.journal(func() { h.want(h.sync(), reconcile.RolledBack) })
	for _, m := range journal {
		if service := m.Actor.Attributes["com.docker.compose.service"]; m.Action == "start" && service != "web" {
			order = append(order, service)
		}
	}
	if got := strings.Join(order, " "); got != "backup migrate undo" {
		t.Errorf("the jobs ran %q, want backup migrate undo", got)
	}
	if got := env(h.one("web"), "APP_VERSION"); got != "1" {
		t.Errorf("version %s runs, want 1", got)
	}
	h.want(h.sync(), reconcile.Held)
}
