package endtoend_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// web is a service that becomes healthy quickly.
const web = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    PROBE
`

func version(compose, v string) string { return strings.ReplaceAll(compose, `"1"`, `"`+v+`"`) }

func TestFirstDeploy(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	commit := h.deploy(web)
	res := h.want(h.sync(), reconcile.Applied)
	if res.Revision.Commit != commit {
		t.Errorf("applied %s, want %s", res.Revision.Commit, commit)
	}
	c := h.one("web")
	if got, want := c.Name, "/"+h.project+"-web-1"; got != want {
		t.Errorf("the container is called %s, want %s", got, want)
	}
	if c.State.Health.Status != "healthy" {
		t.Errorf("the container is %s, want healthy", c.State.Health.Status)
	}
	h.settled()
}

func TestMergedChangeRollsOut(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(web, "2"))
	h.want(h.sync(), reconcile.Applied)
	if got := env(h.one("web"), "APP_VERSION"); got != "2" {
		t.Errorf("version %s runs, want 2", got)
	}
	h.settled()
}

func TestNeverHealthyIsRolledBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	good := h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	before := h.one("web").ID
	h.deploy(strings.Replace(web, `"1"}`, `"2", APP_UNHEALTHY: "1", APP_SAY: "cannot find the index"}`, 1))
	res := h.want(h.sync(), reconcile.RolledBack)
	if got := h.one("web").ID; got != before {
		t.Errorf("the old container was replaced: start-first leaves it alone")
	}
	for _, part := range []string{"container/web/1", "exit 1", "cannot find the index", good[:10]} {
		if !strings.Contains(res.Reason, part) {
			t.Errorf("the reason lacks %q: %s", part, res.Reason)
		}
	}
	h.want(h.sync(), reconcile.Held)
}
