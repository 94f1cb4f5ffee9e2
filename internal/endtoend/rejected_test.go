package endtoend_test

import (
	"net"
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply/docker/dockertest"
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

// behind puts the services of published behind gates, or leaves them.
func behind(mode string) string {
	if mode == "none" {
		return published
	}
	return published + "    x-syncd: {gate: " + mode + "}\n"
}

func TestPortTakenByAnotherProcessTouchesNothing(t *testing.T) {
	for _, mode := range []string{"none", "tcp"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			compose := behind(mode)
			h.deploy(strings.Replace(compose, "PORT", freePort(t), 1))
			h.want(h.sync(), reconcile.Applied)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			h.must(err)
			t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
			_, number, err := net.SplitHostPort(l.Addr().String())
			h.must(err)
			ports := []string{l.Addr().String()}
			if mode == "none" { // a range of which no port is free
				ports = append(ports, "127.0.0.1:"+number+"-"+number)
			}
			for _, port := range ports {
				h.deploy(strings.Replace(compose, "PORT", port, 1))
				h.untouched(func() {
					res := h.want(h.sync(), reconcile.Blocked)
					for _, part := range []string{"web", l.Addr().String(), "is held by another process on the host"} {
						if !strings.Contains(res.Reason, part) {
							t.Errorf("the reason lacks %q: %s", part, res.Reason)
						}
					}
					if res.Hint == "" {
						t.Error("there is no hint")
					}
				})
			}
		})
	}
}

// Two apps that want one port are told apart before anything of the second is
// made, gates or not.
func TestTwoAppsWithOnePort(t *testing.T) {
	for _, mode := range []string{"none", "tcp"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			compose := strings.Replace(behind(mode), "PORT", freePort(t), 1)
			earlier, later := "a-"+h.project, h.project+"-other"
			t.Cleanup(func() { dockertest.Remove(t, h.api, earlier) })
			h.write("compose.yaml", compose)
			h.place(later+"/compose.yaml", compose)
			h.merge("two apps with one port")
			res := h.want(h.syncApp(later), reconcile.Blocked) // it passes first, and comes second by name
			for _, part := range []string{"port 127.0.0.1:", later + "/compose.yaml", "app " + h.project + " in " + h.project + "/compose.yaml", "whose name comes first"} {
				if !strings.Contains(res.Reason, part) {
					t.Errorf("the reason lacks %q: %s", part, res.Reason)
				}
			}
			h.want(h.sync(), reconcile.Applied)
			first := h.one("web").ID
			h.place(earlier+"/compose.yaml", compose)
			h.merge("a third one, whose name comes first")
			if res := h.want(h.syncApp(earlier), reconcile.Blocked); !strings.Contains(res.Reason, "which has it") {
				t.Errorf("the reason is %s", res.Reason)
			}
			agent, done := h.agent()
			previews, err := agent.Plan(t.Context(), reconcile.PlanRequest{Apps: []string{earlier}})
			h.must(err)
			done()
			if p := previews[0]; p.Outcome != reconcile.Blocked || !strings.Contains(p.Error, "which has it") || p.Hint == "" {
				t.Errorf("the plan is %s: %s (%s)", p.Outcome, p.Error, p.Hint)
			}
			if h.one("web").ID != first {
				t.Error("the first app was touched")
			}
			h.settled()
		})
	}
}
