package endtoend_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
)

// outage is load that knows, too, which requests went well by when they began:
// one that began when the port was open again, and waited, met no closed port.
type outage struct {
	*load
	known sync.Mutex
	went  map[time.Time]bool
}

// watched asks a port every 10 ms, each time on a connection of its own.
func watched(t testing.TB, port string) *outage {
	t.Helper()
	o := &outage{went: map[time.Time]bool{}}
	o.load = loadedBy(t, 10*time.Millisecond, func(int) (string, error) {
		begun := time.Now()
		version, err := askOnce(port)
		o.known.Lock()
		defer o.known.Unlock()
		o.went[begun] = err == nil
		return version, err
	})
	return o
}

// ended ends the load, and tells what became of it.
func (o *outage) ended() tally {
	o.stop()
	return o.turn()
}

// longest is the longest time in which every request that began failed.
func (o *outage) longest() (most time.Duration) {
	var from time.Time
	for _, at := range slices.SortedFunc(maps.Keys(o.went), time.Time.Compare) {
		switch {
		case !o.went[at] && from.IsZero():
			from = at
		case o.went[at] && !from.IsZero():
			most, from = max(most, at.Sub(from)), time.Time{}
		}
	}
	return most
}

// over ends the load, and fails the test where the port was closed for longer
// than was measured.
func (o *outage) over(what string, measured time.Duration) {
	o.t.Helper()
	got, closed := o.ended(), o.longest()
	o.t.Logf("%s: closed for %v, measured %v: %s", what, closed.Round(time.Millisecond), measured.Round(time.Millisecond), &got)
	if slack := 500 * time.Millisecond; closed > measured+slack || len(got.served) == 0 {
		o.t.Errorf("%s: the port was closed for %v, and %v were measured", what, closed, measured)
	}
}

// gatesOf asks what the app's gates do.
func (h *host) gatesOf(a *reconcile.Agent) []apply.Gate {
	h.t.Helper()
	st, err := a.Status(h.t.Context(), []string{h.project})
	h.must(err)
	return st.Apps[0].Gates
}

// gateContainers are the names of the app's gates.
func (h *host) gateContainers() []string {
	h.t.Helper()
	list, err := h.api.ContainerList(h.t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(
		filters.Arg("label", "io.syncd.gate"), filters.Arg("label", "com.docker.compose.project="+h.project))})
	h.must(err)
	var names []string
	for _, c := range list {
		names = append(names, strings.TrimPrefix(c.Names[0], "/")+" "+c.State)
	}
	return names
}

func TestStatusSaysWhatGatesDo(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	h.deploy(strings.NewReplacer("PORT", port, "MODE", "http", "ORDER", "start-first").Replace(gated))
	h.want(h.sync(), reconcile.Applied)
	for range 3 {
		h.asked(port)
	}
	a, done := h.agent()
	defer done()
	gates := h.gatesOf(a)
	if len(gates) != 1 {
		t.Fatalf("it tells of %+v", gates)
	}
	g := gates[0]
	if !g.Answers || !g.Listening || g.Mode != "http" || g.Published != port || g.Totals.Accepted != 3 || g.Outdated() || g.Trouble != "" {
		t.Errorf("it says %+v", g)
	}
	if len(g.Backends) != 1 || g.Backends[0].Slot != "web/1" || g.Backends[0].Served != 3 || g.Backends[0].Draining {
		t.Errorf("its backends: %+v", g.Backends)
	}
	all, err := a.Status(t.Context(), nil)
	h.must(err)
	if len(all.Apps) != 1 || all.Apps[0].Gates != nil {
		t.Errorf("asked for all, it asks gates: %+v", all.Apps)
	}
	counted, err := a.AllGates(t.Context())
	h.must(err)
	if c := counted[h.project]; len(counted) != 1 || len(c) != 1 || c[0].Totals != g.Totals || c[0].Title() != g.Title() {
		t.Errorf("of all gates it tells %+v", counted)
	}
	h.must(h.api.ContainerPause(t.Context(), g.Name))
	begun := time.Now()
	st, err := a.Status(t.Context(), []string{h.project})
	h.must(err)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("a gate that stands still held status up for %v", took)
	}
	if g := st.Apps[0].Gates[0]; g.Answers || g.Trouble == "" || len(g.Backends) != 1 || st.Apps[0].Services == nil {
		t.Errorf("of a gate that stands still it says %+v", st.Apps[0])
	}
	t.Logf("of a gate that stands still: %s", st.Apps[0].Gates[0].Trouble)
	if res := h.pass(a); res.Outcome != reconcile.Applied || !h.gatesOf(a)[0].Answers {
		t.Errorf("it was not mended: %s %s", res.Outcome, res.Reason)
	}
	h.must(h.api.ContainerStop(t.Context(), g.Name, container.StopOptions{}))
	if res := h.pass(a); res.Outcome != reconcile.Applied || !h.gatesOf(a)[0].Listening {
		t.Errorf("it was not started again: %s %s", res.Outcome, res.Reason)
	}
	never := container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}}
	_, err = h.api.ContainerUpdate(t.Context(), g.Name, never)
	h.must(err)
	h.want(h.pass(a), reconcile.Applied) // it would not have come back after a reboot
	h.want(h.pass(a), reconcile.Unchanged)
}

// A port is taken over at a person's word, and what that cost is measured; what
// the repository does not ask for is not done.
func TestAPortIsTakenOverAtAPersonsWord(t *testing.T) {
	h := newHost(t)
	port := freePort(t)
	h.write(".syncd.yaml", "sync: {auto: false}\nrollout: {soak: 500ms, timeout: 20s}\n")
	compose := strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated)
	plain := strings.Replace(compose, "    x-syncd: {gate: tcp, drain: 2s}\n", "", 1)
	h.deploy(plain)
	h.want(h.sync(), reconcile.Applied)
	a, done := h.agent()
	defer done()
	word := func(verb string, req reconcile.ActRequest) (reconcile.ActResult, error) {
		req.App, req.Who = h.project, "ann"
		return a.Act(t.Context(), verb, req, nil)
	}
	enable := func(req reconcile.ActRequest) (reconcile.ActResult, error) { return word("gate-enable", req) }
	release := func(req reconcile.ActRequest) (reconcile.ActResult, error) { return word("gate-release", req) }
	if _, err := enable(reconcile.ActRequest{Services: []string{"web"}}); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "x-syncd: {gate: tcp}") {
		t.Errorf("without a word in Git: %v (%s)", err, fault.Advice(err))
	}
	h.deploy(compose)
	would, err := enable(reconcile.ActRequest{Services: []string{"web"}})
	h.must(err)
	if !strings.Contains(would.Text, "web: a gate takes its port over, gap about 1.2 s") || would.Preview == nil || len(h.gateContainers()) != 0 {
		t.Errorf("beforehand it says %q, and there are %q", would.Text, h.gateContainers())
	}
	o := watched(t, port)
	did, err := enable(reconcile.ActRequest{Confirm: true, Plan: would.Preview.Digest})
	h.must(err)
	if did.Result == nil || did.Result.Outcome != reconcile.Applied || len(did.Result.Gaps) != 1 || did.Result.Gaps[0].Key.Kind != "route" {
		t.Fatalf("it did %+v", did.Result)
	}
	o.over("taken over", did.Result.Gaps[0].Took.D())
	if again, err := enable(reconcile.ActRequest{}); err != nil || !again.Idle {
		t.Errorf("once more: %+v, %v", again, err)
	}
	entries, err := a.History(t.Context(), h.project, 2)
	h.must(err)
	if entries[1].Kind != "gate enable" || entries[1].Who != "ann" || len(entries[0].Gaps) != 1 {
		t.Errorf("history has %+v", entries)
	}
	if _, err := release(reconcile.ActRequest{}); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "x-syncd: {gate: none}") {
		t.Errorf("while Git asks for the gate: %v (%s)", err, fault.Advice(err))
	}
	h.deploy(strings.Replace(compose, "drain: 2s", "drain: 10s", 1))
	h.want(h.pass(a), reconcile.Applied) // the gate that runs goes by it
	h.deploy(plain)
	busy(t, port) // it keeps the gate for as long as its drain
	would, err = release(reconcile.ActRequest{})
	h.must(err)
	if !strings.Contains(would.Text, "web: its gate gives port "+port+" back, gap about 1.3 s") || !strings.Contains(would.Text, "besides up to 10s") || len(h.gateContainers()) != 1 {
		t.Errorf("beforehand it says %q, and there are %q", would.Text, h.gateContainers())
	}
	o = watched(t, port)
	did, err = release(reconcile.ActRequest{Confirm: true, Plan: would.Preview.Digest})
	h.must(err)
	if did.Result == nil || did.Result.Outcome != reconcile.Applied || len(did.Result.Gaps) != 1 || !slices.Equal(did.Result.Gaps[0].Back, []string{port}) {
		t.Fatalf("it did %+v", did.Result)
	}
	o.over("given back", did.Result.Gaps[0].Took.D())
	if closed := o.longest(); closed < 10*time.Second {
		t.Errorf("the port was closed for %v: the gate did not wait for what was in flight", closed)
	}
	if again, err := release(reconcile.ActRequest{}); err != nil || !again.Idle || len(h.gateContainers()) != 0 {
		t.Errorf("once more: %+v, %v", again, err)
	}
}

// An app that is handed back is served on, by the gates that serve it.
func TestReleaseLeavesGatesServing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	port := freePort(t)
	h.deploy(strings.NewReplacer("PORT", port, "MODE", "http", "ORDER", "start-first").Replace(gated))
	h.want(h.sync(), reconcile.Applied)
	was := h.gateContainers()
	a, done := h.agent()
	defer done()
	o := watched(t, port)
	res, err := a.Act(t.Context(), "release", reconcile.ActRequest{App: h.project, Who: "ann", Confirm: true}, nil)
	h.must(err)
	if name := strings.Fields(was[0])[0]; !strings.Contains(res.Text, "docker rm -f "+name) {
		t.Errorf("it says %q", res.Text)
	}
	h.want(h.pass(a), reconcile.Paused)
	if g := h.gatesOf(a); len(g) != 1 || !g[0].Listening || g[0].Backends[0].Slot != "web/1" {
		t.Errorf("its gates: %+v", g)
	}
	if now := h.gateContainers(); !slices.Equal(now, was) {
		t.Errorf("there are %q, and there was %q", now, was)
	}
	if got := o.ended(); len(got.lost) > 0 || len(got.served) == 0 {
		t.Error(&got)
	}
}

// broken says that it is a gate, and does not serve.
const broken = `package main

import "os"

func main() {
	if os.Args[1] != "version" {
		os.Exit(3)
	}
	os.Stdout.WriteString("syncd-gate v0")
}
`

// otherGate builds a gate's program of another version, or one that is called so
// and does not work.
func otherGate(t testing.TB, version string) string {
	t.Helper()
	dir, from := t.TempDir(), "syncd.io/syncd/cmd/syncd-gate"
	switch version {
	case "none":
		return renderer(t)
	case "broken":
		from = filepath.Join(dir, "main.go")
		if err := os.WriteFile(from, []byte(broken), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "syncd-gate")
	cmd := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", path, from)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build a gate: %v\n%s", err, out)
	}
	return path
}

// withGate lets an agent have another gate's program.
func (h *host) withGate(version string) func(*reconcile.Options) {
	h.t.Helper()
	eng, err := docker.Open(h.t.Context(), docker.Options{Mounts: filepath.Join(h.state, "mounts"), GateProgram: otherGate(h.t, version), Version: version})
	h.must(err)
	h.t.Cleanup(func() { _ = eng.Close() })
	return func(o *reconcile.Options) { o.Engine = engine{eng} }
}

func (h *host) upgrade(a *reconcile.Agent, confirm bool) (reconcile.ActResult, error) {
	return a.Act(h.t.Context(), "gate-upgrade", reconcile.ActRequest{App: h.project, Who: "ann", Confirm: confirm}, nil)
}

func TestGatesAreUpgradedAtAPersonsWordOnly(t *testing.T) {
	for _, mode := range []string{"tcp", "http"} {
		t.Run(mode, func(t *testing.T) {
			h := newHost(t)
			port := freePort(t)
			h.deploy(strings.NewReplacer("PORT", port, "MODE", mode, "ORDER", "start-first").Replace(gated))
			h.want(h.sync(), reconcile.Applied)
			was := h.gateContainers()
			a, done := h.agent(h.withGate("v9"))
			defer done()
			h.want(h.pass(a), reconcile.Unchanged) // a newer syncd replaces no gate
			if g := h.gatesOf(a)[0]; !g.Outdated() {
				t.Errorf("it says %+v", g)
			}
			would, err := h.upgrade(a, false)
			h.must(err)
			if !strings.Contains(would.Text, " -> v9, gap about 1.2 s") || would.Idle {
				t.Errorf("beforehand it says %q", would.Text)
			}
			o := watched(t, port)
			busy(t, port) // in tcp it is in flight, and cut at the drain's end
			did, err := h.upgrade(a, true)
			h.must(err)
			if len(did.Renewed) != 1 || did.Renewed[0].To.Version != "v9" || mode == "tcp" && did.Renewed[0].Cut == 0 {
				t.Fatalf("it did %+v", did)
			}
			t.Log(did.Text)
			o.over("upgraded", did.Renewed[0].Gap.D())
			if now := h.gateContainers(); len(now) != 1 || now[0] != was[0] {
				t.Errorf("there are %q, and there was %q", now, was)
			}
			g := h.gatesOf(a)[0]
			if g.Outdated() || g.Program.Version != "v9" || !g.Listening || g.Backends[0].Slot != "web/1" {
				t.Errorf("it says %+v", g)
			}
			h.want(h.pass(a), reconcile.Unchanged)
			if again, err := h.upgrade(a, true); err != nil || !again.Idle {
				t.Errorf("once more: %+v, %v", again, err)
			}
		})
	}
}

// A program that is no gate does not take the port away for long.
func TestAGateThatDoesNotComeUpLeavesTheOldOne(t *testing.T) {
	for program, says := range map[string]string{"none": "is no gate's: it ended with exit code", "broken": "exit code 3 as soon as it began; the old one goes on, gap"} {
		t.Run(program, func(t *testing.T) {
			h := newHost(t)
			port := freePort(t)
			h.deploy(strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated))
			h.want(h.sync(), reconcile.Applied)
			was := h.gateContainers()
			a, done := h.agent(h.withGate(program))
			defer done()
			o := watched(t, port)
			_, err := h.upgrade(a, true)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("it ended with %v", err)
			}
			h.want(h.pass(a), reconcile.Unchanged)
			got := o.ended()
			t.Logf("%v: %s", err, &got)
			if len(got.served) == 0 || program == "none" && len(got.lost) > 0 {
				t.Error("the port was closed for nothing")
			}
			if now := h.gateContainers(); len(now) != 1 || now[0] != was[0] {
				t.Errorf("there are %q, and there was %q", now, was)
			}
		})
	}
}

// Whoever upgraded a gate and was killed left two: a pass lets one of them
// publish the port, and removes the other.
func TestAPassGoesOnWhereAnUpgradeWasKilled(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"before the old one stopped": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			port := freePort(t)
			h.deploy(strings.NewReplacer("PORT", port, "MODE", "tcp", "ORDER", "start-first").Replace(gated))
			h.want(h.sync(), reconcile.Applied)
			was := h.gateContainers()
			h.successor(strings.Fields(was[0])[0], stopped)
			o := watched(t, port)
			h.want(h.sync(), reconcile.Applied)
			if now := h.gateContainers(); len(now) != 1 || now[0] != was[0] {
				t.Errorf("there are %q, and there was %q", now, was)
			}
			h.settled()
			if got := o.ended(); len(got.served) == 0 || !stopped && len(got.lost) > 0 {
				t.Error(&got)
			}
		})
	}
}

// successor leaves a gate beside another one, as an upgrade does that is killed.
func (h *host) successor(name string, stop bool) {
	h.t.Helper()
	ctx := h.t.Context()
	old, err := h.api.ContainerInspect(ctx, name)
	h.must(err)
	made, err := h.api.ContainerCreate(ctx, old.Config, old.HostConfig, nil, nil, name+".new-01234567")
	h.must(err)
	table, _, err := h.api.CopyFromContainer(ctx, name, "/gate/table.json")
	h.must(err)
	defer table.Close()
	h.must(h.api.CopyToContainer(ctx, made.ID, "/gate", table, container.CopyToContainerOptions{}))
	if stop {
		never := container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled}}
		_, err := h.api.ContainerUpdate(ctx, old.ID, never)
		h.must(err)
		h.must(h.api.ContainerStop(ctx, old.ID, container.StopOptions{}))
	}
}
