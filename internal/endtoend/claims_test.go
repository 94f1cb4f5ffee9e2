package endtoend_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/events"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
)

// subnet returns the first three numbers of a private subnet.
func subnet() string { return fmt.Sprintf("10.%d.%d", 100+rand.IntN(100), rand.IntN(250)) }

func TestTwoLiveInstancesNeverShareAClaim(t *testing.T) {
	t.Parallel()
	net := subnet()
	for name, c := range map[string]struct{ service, rest, why string }{
		"container name":       {"container_name: PROJECT-fixed", "", "name PROJECT-fixed"},
		"static address":       {"networks: {back: {ipv4_address: " + net + ".7}}", "networks: {back: {ipam: {config: [{subnet: " + net + ".0/24}]}}}", "address back/" + net + ".7"},
		"fixed port":           {`ports: ["` + freePort(t) + `:8080"]`, "", "port 127.0.0.1"},
		"single writer volume": {`volumes: ["data:/data"]`, "volumes: {data: {}}", "writer PROJECT_data"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			compose := web + "    " + c.service + "\n" + c.rest + "\n"
			h.stopFirst(compose, strings.ReplaceAll(c.why, "PROJECT", h.project))
			good := h.one("web").ID
			h.deploy(strings.Replace(compose, `"1"}`, `"3", APP_UNHEALTHY: "1"}`, 1))
			h.want(h.sync(), reconcile.RolledBack)
			if got := h.one("web"); got.ID != good || !got.State.Running {
				t.Errorf("%s is %s: undoing a stop-first change only starts the old one again", got.Name, got.State.Status)
			}
		})
	}
}

// stopFirst rolls a change out and sees that the old side had stopped, for the
// printed reason, before the new one started.
func (h *host) stopFirst(compose, why string) {
	h.t.Helper()
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	h.deploy(version(compose, "2"))
	var res reconcile.Result
	journal := h.journal(func() { res = h.want(h.sync(), reconcile.Applied) })
	var story []string
	for _, m := range journal {
		if m.Action == events.ActionDie || m.Action == events.ActionStart {
			story = append(story, string(m.Action))
		}
	}
	if got := strings.Join(story, " "); got != "die start" {
		h.t.Errorf("the containers went %q, want the old to die before the new starts", got)
	}
	svc := res.Plan.Services[0]
	if svc.How != apply.HowStopFirst || !strings.Contains(svc.Why, why) {
		h.t.Errorf("the plan says %s because of %q, want stop-first because of %q", svc.How, svc.Why, why)
	}
	h.settled()
}

const named = `
services:
  NAME:
    image: IMAGE
    environment: {APP_VERSION: "1", APP_WRITE: /data/born}
    ports: ["PORT:8080"]
    volumes: ["data:/data"]
    PROBE
volumes: {data: {}}
`

func TestRenamedServiceKeepsItsPortAndVolume(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	compose := strings.Replace(named, "PORT", freePort(t), 1)
	h.deploy(strings.Replace(compose, "NAME", "old", 1))
	h.want(h.sync(), reconcile.Applied)
	old := h.one("old").ID
	born := h.read(old, "/data/born")

	h.deploy(strings.NewReplacer("NAME", "new", `"1",`, `"2", APP_UNHEALTHY: "1",`).Replace(compose))
	h.want(h.sync(), reconcile.RolledBack)
	if c := h.one("old"); c.ID != old || !c.State.Running {
		t.Errorf("the old one is %s, want it started again", c.State.Status)
	}
	if left := h.service("new"); len(left) > 0 {
		t.Errorf("%s of the failed revision is still there", left[0].Name)
	}

	h.deploy(strings.Replace(compose, "NAME", "new", 1))
	h.want(h.sync(), reconcile.Applied)
	if left := h.service("old"); len(left) > 0 {
		t.Errorf("%s is still there", left[0].Name)
	}
	if got := h.read(h.one("new").ID, "/data/born"); got != born {
		t.Error("the volume is a new one")
	}
	h.settled()
}
