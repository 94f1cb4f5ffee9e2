package endtoend_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/reconcile"
)

// A port that somebody else holds blames no revision: what runs is looked after
// meanwhile, and the change goes on as soon as the port is free.
func TestPortThatComesFreeNeedsNoRetry(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(web)
	h.want(h.sync(), reconcile.Applied)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	h.deploy(strings.Replace(published, "PORT", l.Addr().String(), 1))
	h.want(h.sync(), reconcile.Blocked)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	h.must(h.api.ContainerRemove(ctx, h.one("web").ID, container.RemoveOptions{Force: true}))
	h.want(h.sync(), reconcile.Blocked)
	if got := h.one("web"); !got.State.Running {
		t.Errorf("%s is %s: drift was not repaired meanwhile", got.Name, got.State.Status)
	}
	h.must(l.Close())
	h.want(h.sync(), reconcile.Applied)
	h.settled()
}

// With as many ports as replicas there is none free for a new instance before
// its old one has gone.
func TestFullPortRangeRolls(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(web, "image: IMAGE", fmt.Sprintf("image: IMAGE\n    deploy: {replicas: 2}\n    ports: [\"127.0.0.1:%s:8080\"]", twoPorts(t)), 1)
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(compose, "2"))
	h.want(h.sync(), reconcile.Applied)
	h.settled()
}

// twoPorts finds two free ports in a row.
func twoPorts(t *testing.T) string {
	t.Helper()
	for range 50 {
		_, text, err := net.SplitHostPort(freePort(t))
		if err != nil {
			t.Fatal(err)
		}
		var port int
		if _, err := fmt.Sscan(text, &port); err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+1))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d-%d", port, port+1)
	}
	t.Fatal("there are no two free ports in a row")
	return ""
}

// Consent to a volume's end does not outlive that end: the next volume of the
// same name has an owner's word of its own.
func TestConsentToAVolumeIsSpentWithIt(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	data := h.project + "_data"
	for range 2 {
		h.deploy(stored)
		h.want(h.sync(), reconcile.Applied)
		h.deploy(withoutDB)
		h.want(h.sync(), reconcile.Blocked)
		if !h.hasVolume(data) {
			t.Fatal("the volume went without consent")
		}
		h.act("approve", reconcile.ActRequest{Plan: h.status().Plan})
		if h.hasVolume(data) {
			t.Fatal("the volume is still there after consent")
		}
	}
}

// A renamed directory is another project to Docker: its database would begin
// with an empty volume.
func TestRenamedDirectoryWithAVolumeIsBlocked(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(stored)
	h.want(h.sync(), reconcile.Applied)
	other := h.project + "-renamed"
	h.must(os.Rename(filepath.Join(h.repo, h.project), filepath.Join(h.repo, other)))
	h.merge("rename the directory")
	h.untouched(func() {
		res := h.syncApp(other)
		h.want(res, reconcile.Blocked)
		if !strings.Contains(res.Reason, "empty volumes") || !strings.Contains(res.Hint, "name: "+h.project) {
			t.Errorf("the reason is %q, the hint %q", res.Reason, res.Hint)
		}
	})
}
