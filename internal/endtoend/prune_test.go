package endtoend_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"

	"syncd.io/syncd/internal/reconcile"
)

const stored = `
services:
  web:
    image: IMAGE
    PROBE
  db:
    image: IMAGE
    volumes: ["data:/data"]
    PROBE
volumes:
  data: {}
`

const withoutDB = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "2"}
    PROBE
`

func (h *host) hasVolume(name string) bool {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := h.api.VolumeInspect(ctx, name)
	if err != nil && !cerrdefs.IsNotFound(err) {
		h.t.Fatal(err)
	}
	return err == nil
}

func TestRemovedServiceIsPrunedAndItsVolumeStaysUntilApproved(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(stored)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(withoutDB)
	h.want(h.sync(), reconcile.Blocked) // applied, and the volume waits for a person
	if left := h.service("db"); len(left) > 0 {
		t.Errorf("%s is still there", left[0].Name)
	}
	data := h.project + "_data"
	if !h.hasVolume(data) {
		t.Fatal("the volume went without anybody's consent")
	}
	res := h.want(h.sync(), reconcile.Blocked)
	if !strings.Contains(res.Reason, "volume/data") {
		t.Errorf("the reason does not name the volume: %s", res.Reason)
	}
	plan := h.status().Plan
	a, closeAgent := h.agent()
	if _, err := h.actOn(a, "approve", reconcile.ActRequest{Plan: "0123456789ab"}); err == nil {
		t.Error("consent to another plan was taken for consent to this one")
	}
	closeAgent()
	if !h.hasVolume(data) {
		t.Fatal("the volume went with consent to another plan")
	}
	h.act("approve", reconcile.ActRequest{Plan: plan})
	if h.hasVolume(data) {
		t.Error("the volume is still there after consent")
	}
	h.settled()
}

func TestPruneComesAfterAHealthyApply(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(stored)
	h.want(h.sync(), reconcile.Applied)
	db := h.one("db").ID
	h.deploy(strings.Replace(withoutDB, `"2"}`, `"2", APP_UNHEALTHY: "1"}`, 1))
	h.want(h.sync(), reconcile.RolledBack)
	if h.one("db").ID != db {
		t.Error("a change that failed took the other service with it")
	}
}

func TestVanishedDirectoryNeedsConsent(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.place("other/readme", "the repository is not empty")
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	was := h.one("web").ID
	h.must(os.RemoveAll(filepath.Join(h.repo, h.project)))
	h.merge("remove the app")
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Blocked)
		if !strings.Contains(res.Reason, "directory is gone") {
			t.Errorf("the reason does not say why: %s", res.Reason)
		}
	})
	if h.one("web").ID != was {
		t.Fatal("it was touched")
	}
	h.act("approve", reconcile.ActRequest{Plan: h.status().Plan})
	if left := h.service("web"); len(left) > 0 {
		t.Errorf("%s is still there after consent", left[0].Name)
	}
}

func TestEmptiedRepositoryHoldsEverything(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(stored)
	h.want(h.sync(), reconcile.Applied)
	h.must(os.RemoveAll(filepath.Join(h.repo, h.project)))
	h.merge("remove everything")
	h.untouched(func() { h.want(h.sync(), reconcile.Blocked) })
	h.git("revert", "--no-edit", "HEAD")
	h.settled()
}

func TestHostSelector(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.labels = map[string]string{"site": "berlin"}
	at := func(site string) {
		h.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\nhosts: {matchLabels: {site: "+site+"}}\n")
	}
	at("berlin")
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	at("hamburg")
	h.merge("move it to hamburg")
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Blocked)
		if !strings.Contains(res.Reason, "no longer selects this host") {
			t.Errorf("the reason does not say why: %s", res.Reason)
		}
	})
	at("berlin")
	h.merge("move it back")
	h.settled()
}
