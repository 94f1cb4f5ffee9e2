package endtoend_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// ids are the project's containers with when they started and how often they
// were restarted.
func (h *host) ids(services ...string) string {
	h.t.Helper()
	var lines []string
	for _, service := range services {
		c := h.one(service)
		lines = append(lines, c.ID+" "+c.State.StartedAt)
		if c.RestartCount != 0 {
			h.t.Errorf("%s was restarted %d times", c.Name, c.RestartCount)
		}
	}
	return strings.Join(lines, "\n")
}

func TestLostStateDirectoryRestartsNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.write("page.txt", "one")
	h.write("site/index.html", "one")
	h.deploy(configured)
	h.want(h.sync(), reconcile.Applied)
	was := h.ids("web", "other")
	entries, err := os.ReadDir(h.state)
	h.must(err)
	for _, e := range entries {
		h.must(os.RemoveAll(filepath.Join(h.state, e.Name())))
	}
	h.untouched(func() { h.sync() })
	if h.ids("web", "other") != was {
		t.Error("something was restarted")
	}
	h.settled()
	if h.record().Good == nil {
		t.Error("no revision is good")
	}
}

func TestRollbackNeedsNoGit(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(sick)
	a, closeAgent := h.agent()
	defer closeAgent()
	gone := h.repo + ".gone"
	h.events = nil
	listening := func(e reconcile.Event) {
		if e.Step != nil && e.Step.Phase == apply.Begun && e.Step.Step.Verb == apply.Await {
			if _, err := os.Stat(h.repo); err == nil {
				h.must(os.Rename(h.repo, gone))
			}
		}
	}
	results, err := a.Sync(t.Context(), reconcile.SyncRequest{Apps: []string{h.project}}, listening)
	h.must(err)
	h.want(results[0], reconcile.RolledBack)
	if _, err := os.Stat(gone); err != nil {
		t.Fatal("the repository was there all the time")
	}
	if c := h.one("web"); env(c, "APP_VERSION") != "1" || c.State.Health.Status != container.Healthy {
		t.Errorf("version %s is %s, want 1 healthy", env(c, "APP_VERSION"), c.State.Health.Status)
	}
}

func TestManualRollbackNeedsNoGit(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(web, "2"))
	h.want(h.sync(), reconcile.Applied)
	h.must(os.Rename(h.repo, h.repo+".gone"))
	out := h.act("rollback", reconcile.ActRequest{})
	h.want(*out.Result, reconcile.RolledBack)
	if got := env(h.one("web"), "APP_VERSION"); got != "1" {
		t.Errorf("version %s runs, want 1", got)
	}
}
