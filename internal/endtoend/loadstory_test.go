package endtoend_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/gate"
	"syncd.io/syncd/internal/reconcile"
)

// shop is two services behind gates, one that carries connections and one that
// carries requests, as they are declared now.
type shop struct {
	order    string
	ports    [2]string // what everybody has known from the beginning
	added    [2]string // empty where there is none
	image    string
	env      string
	replicas int
	network  bool // one more
}

// drain is longer than what takes long, slow: so all of it must finish.
const (
	drain = 4 * time.Second
	slow  = 3 * time.Second
)

// String is the Compose file.
func (s shop) String() string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i, mode := range []string{"tcp", "http"} {
		ports := `"` + s.ports[i] + `:8080"`
		if s.added[i] != "" {
			ports += `, "` + s.added[i] + `:8080"`
		}
		networks := "default"
		if s.network {
			networks = "back, default"
		}
		fmt.Fprintf(&b, `  %s:
    image: %s
    environment: {APP_HEALTHY_AFTER: 300ms%s}
    ports: [%s]
    networks: [%s]
    x-syncd: {gate: %s, drain: %s}
    deploy: {replicas: %d, update_config: {order: %s}, rollback_config: {order: %[9]s}}
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/healthz"], interval: 700ms, retries: 2}
`, mode, s.image, s.env, ports, networks, mode, drain, s.replicas, s.order)
	}
	if s.network {
		b.WriteString("networks: {back: {}}\n")
	}
	return b.String()
}

// story is what happens to a shop while it is used all the time.
type story struct {
	*host
	shop   shop
	second string // another image
	loads  [2]*load
	dies   string // the version that takes its WebSockets along
	acts   int
}

// Nothing that clients begin is lost, whatever happens to a service behind a gate,
// old side first or new side first. Measured in each act, per mode:
//
//   - lost requests: a GET or POST, on a new connection or (http) on one that is
//     kept, that did not get its whole answer. They are never sent again.
//   - slow requests, begun before the act: each gets its whole answer.
//   - WebSockets, opened before the act: one breaks only at the end of a drain, so
//     not sooner than the drain takes after the act began, and the gate counts
//     exactly these as cut; whoever was cut is let in again at once.
//   - who served: nobody but healthy versions.
//
// What a version that dies takes along is its own affair: requests that it has
// begun it finishes, as one that ends by itself can; its WebSockets it does not.
func TestNoRequestIsLostBehindAGate(t *testing.T) {
	for _, order := range []string{"start-first", "stop-first"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s := begun(t, order)
			s.act("image change", func() {
				s.shop.image = s.second
				s.change(reconcile.Applied)
			})
			s.act("env change", func() {
				s.become("3")
				s.change(reconcile.Applied)
			})
			s.act("scale 1 to 3", func() {
				s.shop.replicas = 3
				s.change(reconcile.Applied)
			})
			s.act("scale 3 to 1", func() {
				s.shop.replicas = 1
				s.change(reconcile.Applied)
			})
			s.act("port added", s.addPorts)
			s.act("network added", func() {
				s.shop.network = true
				s.change(reconcile.Applied)
			})
			s.act("network removed", func() {
				s.shop.network = false
				s.change(reconcile.Applied)
			})
			s.act("never healthy", s.neverHealthy)
			s.act("dies in its soak", s.diesInItsSoak)
			s.act("agent killed", s.killTheAgent)
			s.end()
		})
	}
}

// begun deploys the first version and lets everybody in.
func begun(t *testing.T, order string) *story {
	t.Helper()
	second := dockertest.Image(t, "v2", "ENV APP_VERSION=2")
	s := &story{host: newHost(t), second: second}
	s.shop = shop{order: order, ports: [2]string{quietPort(t), quietPort(t)}, image: s.image, replicas: 1}
	s.change(reconcile.Applied)
	for i := range s.loads {
		s.loads[i] = loaded(t, s.shop.ports[i], 30*time.Millisecond) // of 1024 who may wait, and for 30 s at most
	}
	s.loads[1].kept(20, 200*time.Millisecond)
	return s
}

// quietPort is a free port that no client gets for its own side of a connection.
func quietPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		free := freePort(t)
		_, port, err := net.SplitHostPort(free)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("127.0.0.1:%d", 16384+n%16384)
		if l, err := net.Listen("tcp", address); err == nil && l.Close() == nil {
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// become changes what the environment says of the version, and more of it.
func (s *story) become(version string, more ...string) {
	s.shop.env = ", APP_VERSION: " + strconv.Quote(version) + strings.Join(more, "")
}

// change deploys the shop as it is declared now.
func (s *story) change(want reconcile.Outcome) {
	s.t.Helper()
	s.deploy(s.shop.String())
	s.want(s.sync(), want)
}

// act is one thing that happens, with what is in flight when it begins: as long as
// that takes, a service that is stopped first lets everybody else wait, so there it
// is left out of all acts but one.
func (s *story) act(name string, do func()) {
	s.t.Helper()
	s.acts++
	full := s.shop.order == "start-first" || s.acts == 1
	before := [2]uint64{s.cut("tcp"), s.cut("http")}
	var waits [2]func()
	var crowds [2]*crowd
	for i, l := range s.loads {
		if full {
			waits[i], crowds[i] = l.slowly(50, slow), gathered(s.t, l.address, 20)
		}
	}
	begun := time.Now()
	do()
	for i, mode := range []string{"tcp", "http"} {
		if full {
			waits[i]()
			crowds[i].leave()
			s.judgeCrowd(name+", "+mode, crowds[i], begun, s.cut(mode)-before[i])
		}
		s.judge(name+", "+mode, s.loads[i].turn())
	}
	s.t.Logf("%s, %s: took %s", s.shop.order, name, time.Since(begun).Round(100*time.Millisecond))
}

func (s *story) judge(what string, got tally) {
	s.t.Helper()
	s.t.Logf("%s, %s: %s", s.shop.order, what, &got)
	if len(got.lost) > 0 {
		s.t.Errorf("%s: %d requests lost: %s", what, len(got.lost), strings.Join(got.lost[:min(3, len(got.lost))], "; "))
		s.t.Logf("its gates say %+v", s.gates(what[strings.LastIndex(what, " ")+1:]))
	}
	if n := got.served["broken"]; n > 0 {
		s.t.Errorf("%s: the version that was never healthy served %d requests", what, n)
	}
}

func (s *story) judgeCrowd(what string, c *crowd, begun time.Time, cut uint64) {
	s.t.Helper()
	var broken uint64
	for _, b := range c.broken {
		if b.version == s.dies {
			continue
		}
		broken++
		if after := b.at.Sub(begun); after < drain {
			s.t.Errorf("%s: a WebSocket at version %s broke after %s: %v", what, b.version, after, b.why)
		}
	}
	if n := len(c.lost); n > 0 {
		s.t.Errorf("%s: %d WebSockets were lost: %s", what, n, c.lost[0])
	}
	if broken != cut {
		s.t.Errorf("%s: the gate says that it cut %d, and %d broke", what, cut, broken)
	}
	s.t.Logf("%s, %s: 20 WebSockets, %d echoes, %d cut at the end of the drain", s.shop.order, what, c.echoes, cut)
}

// cut is how many a service's gates have cut so far.
func (s *story) cut(service string) uint64 {
	var sum uint64
	for _, a := range s.gates(service) {
		sum += a.Totals.Cut
	}
	return sum
}

// gates are what the gates of a service say.
func (s *story) gates(service string) []gate.Answer {
	s.t.Helper()
	var out []gate.Answer
	for _, c := range dockertest.Containers(s.t, s.api, s.project) {
		if !strings.HasPrefix(c.Config.Labels["io.syncd.gate"], service+"/") {
			continue
		}
		said, err := exec.CommandContext(s.t.Context(), "docker", "exec", c.ID, "/syncd-gate", "table").Output()
		s.must(err)
		var a gate.Answer
		s.must(json.Unmarshal(said, &a))
		out = append(out, a)
	}
	return out
}

// addPorts publishes one more port; it answers too.
func (s *story) addPorts() {
	s.shop.added = [2]string{quietPort(s.t.(*testing.T)), quietPort(s.t.(*testing.T))}
	s.change(reconcile.Applied)
	for _, port := range s.shop.added {
		s.asked(port)
	}
}

func (s *story) neverHealthy() {
	was := s.shop
	s.become("broken", ", APP_UNHEALTHY: 'yes'")
	s.change(reconcile.RolledBack)
	s.shop = was
}

// diesInItsSoak deploys a version that ends by itself when the old one has gone.
func (s *story) diesInItsSoak() {
	was := s.shop
	s.write(".syncd.yaml", "rollout: {soak: 20s, timeout: 20s}\n")
	s.become("mortal")
	s.dies = "mortal"
	done := make(chan struct{})
	go func() {
		defer close(done)
		dockertest.Eventually(s.t, "the new version is alone", func() bool { return s.alone("mortal") })
		for _, service := range []string{"tcp", "http"} {
			for _, c := range s.service(service) {
				s.must(s.api.ContainerKill(s.t.Context(), c.ID, "USR1"))
			}
		}
	}()
	s.change(reconcile.RolledBack)
	<-done
	s.shop = was
	s.write(".syncd.yaml", "rollout: {soak: 500ms, timeout: 20s}\n")
}

// alone tells whether nothing but this version is there, and is healthy.
func (s *story) alone(version string) bool {
	all := slices.Concat(s.service("tcp"), s.service("http"))
	return len(all) == 2 && !slices.ContainsFunc(all, func(c container.InspectResponse) bool {
		return env(c, "APP_VERSION") != version || c.State.Health == nil || c.State.Health.Status != container.Healthy
	})
}

// killTheAgent kills the real agent twice in one rollout, before the traffic
// changes hands and after, and lets a third one end it.
func (s *story) killTheAgent() {
	s.become("5")
	s.deploy(s.shop.String())
	for _, at := range []string{" making", " made"} {
		if !s.killedOn(func(line string) bool {
			return strings.Contains(line, " route/") && strings.HasSuffix(line, at)
		}) {
			s.t.Errorf("it was not killed at a route's %q", at)
		}
	}
	out, err := s.syncd(s.t.Context(), "sync", s.project).CombinedOutput()
	if err != nil {
		s.t.Fatalf("the sync after the kill: %v\n%s", err, out)
	}
}

// end lets everybody go home, not before 10,000 requests were made.
func (s *story) end() {
	s.t.Helper()
	dockertest.Eventually(s.t, "10,000 requests were made", func() bool { return s.loads[0].made()+s.loads[1].made() >= 10_000 })
	for i, mode := range []string{"tcp", "http"} {
		s.loads[i].stop()
		s.judge("the end, "+mode, s.loads[i].turn())
		s.t.Logf("%s, %s: in sum %s", s.shop.order, mode, &s.loads[i].sum)
		for _, a := range s.gates(mode) {
			serving := slices.DeleteFunc(a.Backends, func(b gate.State) bool { return b.Draining && b.InFlight == 0 })
			if len(serving) != 1 || serving[0].Ejected || serving[0].Draining || a.Waiting != 0 || a.Totals.Panics != 0 {
				s.t.Errorf("at the end a gate of %s says %+v", mode, a)
			}
		}
	}
	s.settled()
}
