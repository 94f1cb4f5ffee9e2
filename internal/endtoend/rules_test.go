package endtoend_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

func TestThreeFailureClassesNeverOne(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	was := h.one("web").ID
	for _, c := range []struct {
		compose string
		outcome reconcile.Outcome
		class   string // of the quarantine; empty is none
	}{
		{strings.Replace(web, "IMAGE", freePort(t)+"/shop/web:1", 1), reconcile.Unreachable, ""},
		{strings.Replace(web, "image: IMAGE", local, 1), reconcile.Rejected, "rejected"},
		{sick, reconcile.RolledBack, "unhealthy"},
	} {
		before := len(h.record().Quarantine)
		h.deploy(c.compose)
		h.want(h.sync(), c.outcome)
		added := h.record().Quarantine[before:]
		if (len(added) > 0) != (c.class != "") || len(added) > 0 && added[0].Class != c.class {
			t.Errorf("%s put %+v in quarantine, want class %q", c.outcome, added, c.class)
		}
		if h.one("web").ID != was {
			t.Fatalf("%s touched what ran", c.outcome)
		}
	}
}

func TestClocksStandStillWhileTheEngineIsUnreachable(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	p := newProxy(t)
	h.engine = p.address
	h.write(".syncd.yaml", "rollout: {soak: 0s, timeout: 4s}\n")
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(plain, "2"))
	var away time.Duration
	res := h.syncWhile(func() {
		begun := time.Now()
		p.refuse(6 * time.Second)
		away = time.Since(begun)
	})
	h.want(res, reconcile.Applied)
	if away < 5*time.Second {
		t.Errorf("the engine was away for %s only", away)
	}
}

func TestHealthyCandidateMayFinishItsSoak(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 3s, timeout: 20s}\n")
	h.deploy(web)
	h.run()
	h.await(0, "it is healthy", func(e reconcile.Event) bool {
		return e.Step != nil && e.Step.Step.Verb == apply.Await && e.Step.Phase == apply.Done
	})
	h.deploy(version(web, "2"))
	h.awaitOutcome(0, reconcile.Applied)
	mark := h.mark()
	h.awaitOutcome(mark, reconcile.Applied)
	for _, e := range h.since(0) {
		if e.Result != nil && e.Result.Outcome == reconcile.Superseded {
			t.Error("a healthy candidate was ended in its soak")
		}
	}
	if past := len(h.since(0)); past == 0 || env(h.one("web"), "APP_VERSION") != "2" {
		t.Error("the newer one was not applied after it")
	}
}

func TestEveryWaitHasADeadline(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write(".syncd.yaml", "rollout: {soak: 200ms, timeout: 3s}\n")
	h.deploy(migrated)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.Replace(schema("2", ""), `APP_EXIT: "0"`, `APP_EXIT: "0", APP_EXIT_AFTER: 1h`, 1))
	res := h.want(h.sync(), reconcile.RolledBack)
	if !strings.Contains(res.Reason, "migrate") || !strings.Contains(res.Reason, "after 3s") {
		t.Errorf("the reason does not name the job and its deadline: %s", res.Reason)
	}
}

func TestPruneNeverExceedsItsBudget(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	many := "services:\n  s0: {image: IMAGE, environment: {APP_VERSION: \"1\"}}\n"
	one := many
	for n := 1; n < 5; n++ {
		many += fmt.Sprintf("  s%d: {image: IMAGE}\n", n)
	}
	h.deploy(many)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(one)
	h.sync()
	for n := range 5 {
		h.one(fmt.Sprint("s", n))
	}
	s := h.status()
	if !strings.Contains(strings.Join(s.Consents, " "), "remove 4 of 5 services") {
		t.Errorf("consent is wanted for %q", s.Consents)
	}
	h.act("approve", reconcile.ActRequest{Plan: s.Plan})
	h.one("s0")
	if left := h.service("s3"); len(left) > 0 {
		t.Error("it is still there after consent")
	}
	h.settled()
}

func TestStatusIsWrittenOnlyWhenItChanges(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	a, closeAgent := h.agent()
	defer closeAgent()
	h.want(h.pass(a), reconcile.Applied)
	h.want(h.pass(a), reconcile.Unchanged)
	was := h.recordFiles()
	for range 3 {
		h.want(h.pass(a), reconcile.Unchanged)
	}
	if h.recordFiles() != was {
		t.Error("passes that found nothing wrote to the record")
	}
}

// recordFiles is a hash over the files beside sources and mounts.
func (h *host) recordFiles() string {
	h.t.Helper()
	entries, err := os.ReadDir(h.state)
	h.must(err)
	sum, files := sha256.New(), 0
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(h.state, e.Name()))
		h.must(err)
		fmt.Fprintf(sum, "%s %d\n", e.Name(), len(data))
		sum.Write(data)
		files++
	}
	if files == 0 {
		h.t.Fatal("there is no record")
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// What one pass has applied, the next does not see as a difference, whatever the
// engine makes of it.
func TestOneRuleForDiffAndApply(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(strings.Replace(web, "PROBE", `PROBE
    cpus: 0.5
    mem_limit: 64m
    user: "0:0"
    init: true
    hostname: shop
    labels: {team: shop}
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    dns: [9.9.9.9]
    extra_hosts: ["a:10.0.0.1"]
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    sysctls: {net.core.somaxconn: 1024}
    tmpfs: [/run]
    shm_size: 32m
    stop_grace_period: 3s
    logging: {driver: json-file, options: {max-size: 1m}}
    expose: ["7000"]
    volumes: ["/anonymous"]`, 1))
	h.want(h.sync(), reconcile.Applied)
	h.untouched(func() { h.settled() })
}
