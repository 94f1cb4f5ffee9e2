package endtoend_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/reconcile"
)

const hooked = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1"}
    volumes: ["data:/data"]
    post_start: [{command: ["/app", "-write", "/data/started-1", "-exit", "0"]}]
    pre_stop: [{command: ["/app", "-write", "/data/stopped-1", "-exit", "0"]}]
    PROBE
volumes: {data: {}}
`

func TestLifecycleHooksRun(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(hooked)
	h.want(h.sync(), reconcile.Applied)
	h.holds("started-1", true)
	h.holds("stopped-1", false)
	h.deploy(strings.NewReplacer(`"1"}`, `"2"}`, "-1", "-2").Replace(hooked))
	h.want(h.sync(), reconcile.Applied)
	for name, there := range map[string]bool{"stopped-1": true, "started-2": true, "stopped-2": false} {
		h.holds(name, there)
	}
	h.settled()
}

func TestFailingPostStartHookIsRolledBack(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.deploy(hooked)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.NewReplacer(`"1"}`, `"2"}`, `"/data/started-1", "-exit", "0"`, `"/data/started-2", "-exit", "6"`).Replace(hooked))
	res := h.want(h.sync(), reconcile.RolledBack)
	for _, part := range []string{"post_start", "exit 6"} {
		if !strings.Contains(res.Reason, part) {
			t.Errorf("the reason lacks %q: %s", part, res.Reason)
		}
	}
	if c := h.one("web"); env(c, "APP_VERSION") != "1" || !c.State.Running {
		t.Errorf("version %s is %s, want 1 running", env(c, "APP_VERSION"), c.State.Status)
	}
}

// holds fails the test unless the file is in the volume, or is not.
func (h *host) holds(name string, there bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	v, err := h.api.VolumeInspect(ctx, h.project+"_data")
	h.must(err)
	if _, err := os.Stat(filepath.Join(v.Mountpoint, name)); (err == nil) != there {
		h.t.Errorf("%s is in the volume: %t, want %t", name, err == nil, there)
	}
}
