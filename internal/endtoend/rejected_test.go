package endtoend_test

import (
	"net"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

// local is an image that only this host could have, and has not.
const local = "image: shop/web:9\n    pull_policy: never"

func TestImageThatDoesNotExistTouchesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.Replace(version(web, "2"), "image: IMAGE", local, 1))
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Rejected)
		if !strings.Contains(res.Reason, "shop/web:9") {
			t.Errorf("the reason does not name the image: %s", res.Reason)
		}
		h.want(h.sync(), reconcile.Held)
	})
	if got := env(h.one("web"), "APP_VERSION"); got != "1" {
		t.Errorf("version %s runs, want 1", got)
	}
}

// A commit is often there before the image that it names.
func TestImageThatIsOnItsWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	h, s := newHost(t), newShelf(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	image := s.address + "/" + h.project + ":late"
	h.deploy(strings.Replace(version(web, "2"), "IMAGE", image, 1))
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Unreachable)
		if !strings.Contains(res.Reason, image) || !strings.Contains(res.Reason, "on its way") {
			t.Errorf("the reason does not say that the image %s may come: %s", image, res.Reason)
		}
	})
	if q := h.record().Quarantine; len(q) > 0 {
		t.Errorf("the revision is in quarantine: %s", q[0].Reason)
	}
	_, id := h.put(s, "late")
	h.want(h.sync(), reconcile.Applied)
	if got := h.one("web").Image; got != id {
		t.Errorf("image %s runs, want %s", got, id)
	}
}

func TestRegistryThatIsDownBlamesNobody(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.Replace(version(web, "2"), "IMAGE", freePort(t)+"/shop/web:9", 1))
	h.untouched(func() { h.want(h.sync(), reconcile.Unreachable) })
	if q := h.record().Quarantine; len(q) > 0 {
		t.Errorf("the revision is in quarantine: %s", q[0].Reason)
	}
	h.deploy(version(web, "2"))
	h.want(h.sync(), reconcile.Applied)
}

// freePort returns a loopback address on which nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

const published = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    ports: ["PORT:8080"]
    PROBE
`

func TestPortTakenByAnotherProcessTouchesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(strings.Replace(published, "PORT", freePort(t), 1))
	h.want(h.sync(), reconcile.Applied)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	h.deploy(strings.Replace(published, "PORT", l.Addr().String(), 1))
	h.untouched(func() {
		res := h.want(h.sync(), reconcile.Blocked)
		for _, part := range []string{"web", l.Addr().String(), "process"} {
			if !strings.Contains(res.Reason, part) {
				t.Errorf("the reason lacks %q: %s", part, res.Reason)
			}
		}
	})
}

func TestTwoAppsWithOnePort(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(published, "PORT", freePort(t), 1)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	first := h.one("web").ID
	other := h.project + "-other"
	h.place(other+"/compose.yaml", compose)
	h.merge("a second app with the same port")
	res := h.syncApp(other)
	h.want(res, reconcile.Blocked)
	if !strings.Contains(res.Reason, h.project+"-web-1") {
		t.Errorf("the reason does not name the container that holds the port: %s", res.Reason)
	}
	if h.one("web").ID != first {
		t.Error("the first app was touched")
	}
	h.settled()
}
