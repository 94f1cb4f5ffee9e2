package docker

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/drift"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func (f *fixture) inspect(id string) container.InspectResponse {
	f.Helper()
	in, err := f.api.ContainerInspect(f.ctx, id)
	if err != nil {
		f.Fatal(err)
	}
	return in
}

func version(v string) func(*spec.Container) {
	return func(c *spec.Container) { c.Environment = map[string]string{"APP_VERSION": v} }
}

func TestStartFirstRunsBesideAndTakesTheRestingNameLater(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	old := f.put(f.container(image, "web", 1, version("1")))
	next := f.container(image, "web", 1, version("2"))
	ref := f.put(next)
	if ref == old || !f.inspect(old.ID).State.Running || !f.inspect(ref.ID).State.Running {
		t.Fatal("the old one was touched, or is the new one")
	}
	if name := f.inspect(ref.ID).Name; !strings.HasPrefix(name, "/"+f.project+"-web-1.new-") {
		t.Errorf("beside the old one it is called %s", name)
	}
	if p := f.observe(next)[next.Key]; len(p.Live) != 2 {
		t.Fatalf("%d instances in the slot, want 2", len(p.Live))
	}
	if err := f.target.Remove(f.ctx, next.Key, old); err != nil {
		t.Fatal(err)
	}
	if got := f.drifts(next); !slices.Equal(got, []string{"/name"}) {
		t.Errorf("drift in %v, want /name", got)
	}
	if again := f.put(next); again != ref {
		t.Error("renaming made another container")
	}
	f.inSync(next)
}

func TestStopFirstUndoOnlyStartsTheOldOneAgain(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	held := freePort(t)
	port := func(v string) func(*spec.Container) {
		return func(c *spec.Container) {
			version(v)(c)
			c.Restart = spec.RestartPolicy{Name: "always"}
			c.Ports = []spec.Port{held}
		}
	}
	first, second := f.container(image, "web", 1, port("1")), f.container(image, "web", 1, port("2"))
	old := f.put(first)
	if err := f.target.Stop(f.ctx, first.Key, old); err != nil {
		t.Fatal(err)
	}
	stopped := f.inspect(old.ID)
	if stopped.State.Running || stopped.HostConfig.RestartPolicy.Name != "no" {
		t.Fatalf("after stop: running %t, restart %s", stopped.State.Running, stopped.HostConfig.RestartPolicy.Name)
	}
	fresh := f.put(second)
	if name := f.inspect(fresh.ID).Name; name != "/"+f.project+"-web-1" {
		t.Errorf("the new one is called %s: the stopped one has to step aside", name)
	}
	if err := f.target.Remove(f.ctx, second.Key, fresh); err != nil {
		t.Fatal(err)
	}
	if back := f.put(first); back != old {
		t.Error("the old one was made anew")
	}
	f.inSync(first)
	if f.inspect(old.ID).HostConfig.RestartPolicy.Name != "always" {
		t.Error("its restart policy did not come back")
	}
}

func TestAnonymousVolumesAreCarriedOver(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", "VOLUME /var/data")
	change := func(v string) func(*spec.Container) {
		return func(c *spec.Container) {
			version(v)(c)
			c.Mounts = []spec.Mount{{Type: "volume", Target: "/anon"}}
		}
	}
	names := func(id string) map[string]string {
		out := map[string]string{}
		for _, m := range f.inspect(id).Mounts {
			out[m.Destination] = m.Name
		}
		return out
	}
	old := f.put(f.container(image, "db", 1, change("1")))
	before := names(old.ID)
	next := f.container(image, "db", 1, change("2"))
	if err := f.target.Stop(f.ctx, next.Key, old); err != nil {
		t.Fatal(err)
	}
	ref := f.put(next)
	after := names(ref.ID)
	if len(before) != 2 || before["/anon"] != after["/anon"] || before["/var/data"] != after["/var/data"] {
		t.Errorf("before %v, after %v", before, after)
	}
	if err := f.target.Remove(f.ctx, next.Key, old); err != nil {
		t.Fatal(err)
	}
	f.inSync(next)
	if _, err := f.api.VolumeInspect(f.ctx, after["/var/data"]); err != nil {
		t.Error(err)
	}
}

// What a killed agent left between create and start is used, or replaced; never
// are there two.
func TestHalfMadeContainersAreReusedOrDiscarded(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	f.put(f.network("front", nil))
	f.put(f.network("back", nil))
	networks := func(c *spec.Container) {
		c.Networks = []spec.Endpoint{{Network: "back", Name: f.project + "_back"}, {Network: "front", Name: f.project + "_front"}}
	}
	leave := func(o resource.Object) string {
		c, err := f.target.compare(f.ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.target.look(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		half, err := f.target.prepare(f.ctx, s, c, o)
		if err != nil {
			t.Fatal(err)
		}
		config, _ := f.engine.firstEndpoints(half)
		made, err := f.api.ContainerCreate(f.ctx, half.config, half.host, config, nil, c.want.Name)
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	o := f.container(image, "web", 1, networks)
	half := leave(o)
	if ref := f.put(o); ref.ID != half {
		t.Error("the half-made one was not used")
	}
	f.inSync(o, f.network("front", nil), f.network("back", nil))
	f.removeAll(o.Key)
	half = leave(f.container(image, "web", 1, version("old")))
	ref := f.put(o)
	if p := f.observe(o)[o.Key]; len(p.Live) != 1 || ref.ID == half {
		t.Errorf("%d instances after a half-made one of another kind, want 1", len(p.Live))
	}
}

// A stopped container knows its networks by ID: started after one of them was made
// anew, it would not find it.
func TestStoppedOnANetworkThatIsGoneGivesWay(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", "VOLUME /var/data")
	front, back := f.network("front", nil), f.network("back", nil)
	f.put(front)
	f.put(back)
	o := f.container(image, "db", 1, func(c *spec.Container) {
		born("1")(c)
		c.Name = f.project + "-fixed"
		c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front"}, {Network: "back", Name: f.project + "_back"}}
	})
	ref := f.put(o)
	for _, gone := range []resource.Object{back, front} {
		if err := f.target.Stop(f.ctx, o.Key, ref); err != nil {
			t.Fatal(err)
		}
		if err := f.target.Remove(f.ctx, gone.Key, f.observe(gone)[gone.Key].Live[0].Ref); err != nil {
			t.Fatal(err)
		}
		f.put(gone)
		pair := f.observe(o, front, back)[o.Key]
		if report := drift.Compare([]resource.Pair{pair}, drift.Options{}); report.Findings[0].Match != drift.None {
			t.Errorf("without %s it counts as one that can be mended: %s", gone.Key, report)
		}
		next := f.put(o)
		if next == ref || f.inspect(ref.ID).State.Running {
			t.Fatalf("without %s the stopped one was used again", gone.Key)
		}
		if f.read(next, "/var/data/born") != f.read(ref, "/var/data/born") || f.inspect(next.ID).Name != "/"+f.project+"-fixed" {
			t.Errorf("without %s it lost its data or its name", gone.Key)
		}
		if err := f.target.Remove(f.ctx, o.Key, ref); err != nil {
			t.Fatal(err)
		}
		f.inSync(o, front, back)
		ref = next
	}
}

func TestServiceNamespaceFollowsItsPeer(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	peer := f.container(image, "peer", 1, nil)
	first := f.put(peer)
	side := f.container(image, "side", 1, func(c *spec.Container) {
		c.NetworkMode, c.Command = "service:peer", []string{"-listen", ":8081"}
	})
	f.put(side)
	f.inSync(side, peer)
	next := f.container(image, "peer", 1, version("2"))
	f.put(next)
	if err := f.target.Remove(f.ctx, peer.Key, first); err != nil {
		t.Fatal(err)
	}
	if got := f.drifts(side, next); !slices.Equal(got, []string{"/network_mode"}) {
		t.Errorf("after its peer was replaced: drift in %v, want /network_mode", got)
	}
}

func TestJobsRunOncePerHash(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	job := func(code string) resource.Object {
		o := f.container(image, "migrate", 1, func(c *spec.Container) { c.Command = []string{"-exit", code} })
		o.Once = true
		return o
	}
	done := func(ref resource.Ref) {
		dockertest.Eventually(t, "the job's end", func() bool { return f.inspect(ref.ID).State.Status == "exited" })
	}
	o := job("0")
	ref := f.put(o)
	done(ref)
	f.inSync(o)
	if h, err := f.target.Health(f.ctx, o.Key, ref); err != nil || h.State != resource.Well {
		t.Errorf("health %+v, %v", h, err)
	}
	if again := f.put(o); again != ref {
		t.Error("a job that is done ran again")
	}
	bad := job("3")
	failedRef := f.put(bad)
	done(failedRef)
	h, err := f.target.Health(f.ctx, bad.Key, failedRef)
	if err != nil || h.State != resource.Failed || h.ExitCode == nil || *h.ExitCode != 3 {
		t.Errorf("health of a failed job: %+v, %v", h, err)
	}
	p := f.observe(bad)[bad.Key]
	if i := slices.IndexFunc(p.Live, func(i resource.Instance) bool { return i.Ref == failedRef }); i < 0 ||
		!slices.Equal(diff(t, p.Stored, p.Live[i].Spec), []string{"/state"}) {
		t.Errorf("a failed job: %+v", p)
	}
	if again := f.put(bad); again == failedRef {
		t.Error("a failed job was taken for done")
	}
}

func TestRunningJobIsNoDrift(t *testing.T) {
	f := newFixture(t)
	o := f.container(dockertest.Image(t, ""), "long", 1, func(c *spec.Container) { c.Command = []string{"-exit", "0", "-exit-after", "1h"} })
	o.Once = true
	ref := f.put(o)
	f.inSync(o)
	if again := f.put(o); again != ref {
		t.Error("a running job was started twice")
	}
}

func TestRefusalsAreRejectedWithAHint(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	dir, held := t.TempDir(), freePort(t)
	holder := f.container(image, "holder", 1, func(c *spec.Container) {
		c.Ports = []spec.Port{held}
	})
	f.put(holder)
	for name, change := range map[string]func(*spec.Container){
		"bind source": func(c *spec.Container) {
			c.Mounts = []spec.Mount{{Type: "bind", Source: dir + "/missing", Target: "/x"}}
		},
		"volume missing": func(c *spec.Container) {
			c.Mounts = []spec.Mount{{Type: "volume", Source: f.project + "_none", Target: "/x"}}
		},
		"network missing": func(c *spec.Container) { c.Networks = []spec.Endpoint{{Network: "n", Name: f.project + "_none"}} },
		"peer missing":    func(c *spec.Container) { c.NetworkMode = "service:nobody" },
		"port taken": func(c *spec.Container) {
			c.Ports = []spec.Port{held}
		},
		"too new": func(c *spec.Container) {
			c.Healthcheck = &spec.Healthcheck{Test: []string{"CMD", "/app"}, StartInterval: time.Second}
		},
		"name of stranger": func(c *spec.Container) { c.Name = f.project + "-stranger" },
	} {
		t.Run(name, func(t *testing.T) {
			if name == "name of stranger" {
				if _, err := f.api.ContainerCreate(f.ctx, &container.Config{Image: image}, nil, nil, nil, f.project+"-stranger"); err != nil {
					t.Fatal(err)
				}
			}
			f := *f
			f.TB = t
			o := f.container(image, "web", 1, change)
			t.Cleanup(func() { f.removeAll(o.Key) })
			_, err := f.target.Put(f.ctx, o)
			if name == "too new" && f.engine.knows("1.44") { // not for this engine
				if err != nil {
					t.Error(err)
				}
				return
			}
			if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
				t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
			}
		})
	}
}

func TestHooksRunAtStartAndBeforeStop(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	f.put(f.volume("data", nil))
	write := func(name string) []spec.Hook {
		return []spec.Hook{{Command: []string{"/app", "-write", "/data/" + name, "-exit", "0"}, User: "0"}}
	}
	o := f.container(image, "web", 1, func(c *spec.Container) {
		c.Mounts = []spec.Mount{{Type: "volume", Source: f.project + "_data", Target: "/data"}}
		c.PostStart, c.PreStop = write("started"), write("stopping")
	})
	ref := f.put(o)
	if _, err := f.api.ContainerStatPath(f.ctx, ref.ID, "/data/started"); err != nil {
		t.Errorf("post_start did not run: %v", err)
	}
	if err := f.target.Stop(f.ctx, o.Key, ref); err != nil {
		t.Fatal(err)
	}
	if _, err := f.api.ContainerStatPath(f.ctx, ref.ID, "/data/stopping"); err != nil {
		t.Errorf("pre_stop did not run: %v", err)
	}
}

// Two agents, or two passes, make one network and one volume, though an engine
// lets networks share a name.
func TestPutAtOnceLeavesOneOfEachKind(t *testing.T) {
	f := newFixture(t)
	for round := range 3 {
		for _, o := range []resource.Object{f.network(strconv.Itoa(round), nil), f.volume(strconv.Itoa(round), nil)} {
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if _, err := f.target.Put(f.ctx, o); err != nil {
						t.Errorf("put %s (%s): %v", o.Key, fault.Of(err), err)
					}
				})
			}
			all.Wait()
			f.inSync(o)
		}
	}
}

func TestRemoveIsIdempotentAndKeepsVolumes(t *testing.T) {
	f := newFixture(t)
	o := f.container(dockertest.Image(t, "", "VOLUME /var/data"), "web", 1, nil)
	ref := f.put(o)
	name := f.inspect(ref.ID).Mounts[0].Name
	t.Cleanup(func() {
		if err := f.api.VolumeRemove(context.Background(), name, true); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		if err := f.target.Remove(f.ctx, o.Key, ref); err != nil {
			t.Error(err)
		}
	}
	if h, err := f.target.Health(f.ctx, o.Key, ref); err != nil || h.State != resource.Absent {
		t.Errorf("health of what is gone: %+v, %v", h, err)
	}
	if _, err := f.api.VolumeInspect(f.ctx, name); err != nil {
		t.Errorf("its data went with it: %v", err)
	}
	network := f.network("front", nil)
	net := f.put(network)
	user := f.container(dockertest.Image(t, ""), "user", 1, func(c *spec.Container) {
		c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front"}}
	})
	f.put(user)
	if err := f.target.Remove(f.ctx, network.Key, net); err == nil || !strings.Contains(err.Error(), f.project+"-user-1") {
		t.Errorf("removing a network in use: %v", err)
	}
}

func TestLogsAreTheLastLinesWithoutEscapes(t *testing.T) {
	f := newFixture(t)
	for _, tty := range []bool{false, true} {
		o := f.container(dockertest.Image(t, ""), map[bool]string{false: "plain", true: "tty"}[tty], 1, func(c *spec.Container) {
			c.TTY, c.Command = tty, []string{"-exit", "1", "-say", "one|two|\x1b[31mred\x1b[0m"}
		})
		ref := f.put(o)
		dockertest.Eventually(t, "its end", func() bool { return !f.inspect(ref.ID).State.Running })
		lines, err := f.target.Logs(f.ctx, o.Key, ref, 2)
		if err != nil || !slices.Equal(lines, []string{"two", "red"}) {
			t.Errorf("tty %t: %q, %v", tty, lines, err)
		}
	}
}
