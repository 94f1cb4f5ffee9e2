package docker

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

func TestPinFixesATagToWhatItMeantThen(t *testing.T) {
	f := newFixture(t)
	ref := dockertest.Image(t, "v1")
	first := dockertest.ImageID(t, ref)
	unpinned := func(c *spec.Container) { c.Pin = "" }
	objects := []resource.Object{f.container(ref, "web", 1, unpinned), f.network("front", nil)}
	pinned, missing, err := f.target.Pin(f.ctx, objects, true)
	if err != nil || len(missing) != 0 {
		t.Fatalf("%v, missing %v", err, missing)
	}
	if c, err := decode[spec.Container](pinned[0]); err != nil || c.Pin != first {
		t.Errorf("pinned to %s, want %s (%v)", c.Pin, first, err)
	}
	if c, err := decode[spec.Container](objects[0]); err != nil || c.Pin != "" {
		t.Error("Pin changed its argument")
	}
	keep := f.put(pinned[0])
	dockertest.ImageNamed(t, ref, "ENV MOVED=yes")
	again, _, err := f.target.Pin(f.ctx, pinned, true)
	if err != nil || string(again[0].Spec) != string(pinned[0].Spec) {
		t.Errorf("a pinned object moved with its tag: %v", err)
	}
	if same := f.put(again[0]); same != keep {
		t.Error("a moved tag replaced a container")
	}
	moved, _, err := f.target.Pin(f.ctx, objects, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.drifts(moved[0]); !slices.Equal(got, []string{"/pin"}) {
		t.Errorf("drift in %v, want /pin", got)
	}
	replica := f.container(ref, "web", 2, func(c *spec.Container) { c.Pin = first })
	if in := f.inspect(f.put(replica).ID); in.Image != first {
		t.Error("a replica runs the moved tag, not the pinned image")
	}
}

func TestPinNamesWhatIsMissing(t *testing.T) {
	f := newFixture(t)
	absent := "127.0.0.1:1/" + dockertest.Name() + ":v1"
	c := spec.Container{Name: "x", Project: f.project, Service: "web", Number: 1, Image: absent}
	objects := []resource.Object{f.object(slotKey("web", "1"), "web", c)}
	same, missing, err := f.target.Pin(f.ctx, objects, false)
	if err != nil || !slices.Equal(missing, []string{absent}) || string(same[0].Spec) != string(objects[0].Spec) {
		t.Errorf("missing %v, %v", missing, err)
	}
	if _, _, err := f.target.Pin(f.ctx, objects, true); fault.Of(err) != fault.Unreachable {
		t.Errorf("a registry that does not answer: class %v: %v", fault.Of(err), err)
	}
	c.PullPolicy = "never"
	objects = []resource.Object{f.object(slotKey("web", "1"), "web", c)}
	if _, _, err := f.target.Pin(f.ctx, objects, true); fault.Of(err) != fault.Rejected {
		t.Errorf("pull_policy never: class %v: %v", fault.Of(err), err)
	}
	c.PullPolicy, c.Pin = "", "sha256:"+strings.Repeat("0", 64)
	objects = []resource.Object{f.object(slotKey("web", "1"), "web", c)}
	if _, _, err := f.target.Pin(f.ctx, objects, true); fault.Of(err) != fault.Rejected {
		t.Errorf("a pinned image that was built here and is gone: class %v: %v", fault.Of(err), err)
	}
}

func TestValidateJudgesWithoutLeavingAnything(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", "VOLUME /var/data")
	stranger, held := newFixture(t), freePort(t)
	stranger.put(stranger.container(image, "holder", 1, func(c *spec.Container) {
		c.Ports = []spec.Port{held}
	}))
	good := f.container(image, "web", 1, func(c *spec.Container) {
		c.NetworkMode = "service:db"
		c.Mounts = []spec.Mount{{Type: "volume", Source: f.project + "_later", Target: "/data"}}
	})
	if err := f.target.Validate(f.ctx, []resource.Object{good}); err != nil {
		t.Errorf("refused a valid container: %v", err)
	}
	if n := len(dockertest.Containers(t, f.api, f.project)); n != 0 {
		t.Errorf("left %d containers", n)
	}
	if _, err := f.engine.inspectVolume(f.ctx, f.project+"_later"); err == nil {
		t.Error("made a volume")
	}
	plan := f.network("front", func(n *spec.Network) {
		n.IPAM = &spec.IPAM{Config: []spec.Subnet{{Subnet: "10.213.248.0/24"}}}
	})
	for want, change := range map[string]func(*spec.Container){
		"service web": func(c *spec.Container) { c.Security.CapAdd = []string{"NO_SUCH"} },
		"restart":     func(c *spec.Container) { c.Restart.Name = "nonsense" },
		"stranger": func(c *spec.Container) {
			c.Ports = []spec.Port{held}
		},
		"172.16.0.1": func(c *spec.Container) {
			c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front", IPv4: "172.16.0.1"}}
		},
		"bind source": func(c *spec.Container) {
			c.Mounts = []spec.Mount{{Type: "bind", Source: filepath.Join(t.TempDir(), "no"), Target: "/x"}}
		},
		"log option": func(c *spec.Container) { // for an unknown driver, an engine looks 15 s for a plugin
			c.Logging = &spec.Logging{Driver: "json-file", Options: map[string]string{"nonsense": "1"}}
		},
		"invalid mount": func(c *spec.Container) { c.Mounts = []spec.Mount{{Type: "volume", Target: "relative"}} },
	} {
		err := f.target.Validate(f.ctx, []resource.Object{plan, f.container(image, "web", 1, change)})
		class := fault.Rejected
		if want == "stranger" { // no revision is to blame for what somebody else holds
			class = fault.Blocked
		}
		if fault.Of(err) != class {
			t.Errorf("%s: class %v: %v", want, fault.Of(err), err)
		} else if want == "stranger" && !strings.Contains(err.Error(), stranger.project+"-holder-1") || !strings.Contains(err.Error(), "service web") {
			t.Errorf("%s is not named: %v", want, err)
		}
	}
}

// What somebody removes between the pass's first look and the put is no revision's fault.
func TestWhatVanishesMeanwhileCondemnsNobody(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	gone := f.container(image, "web", 1, func(c *spec.Container) { c.Pin = "sha256:" + strings.Repeat("0", 64) })
	front := f.network("front", nil)
	joined := f.container(image, "db", 1, func(c *spec.Container) {
		c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front"}}
	})
	stranger := f.container(image, "log", 1, func(c *spec.Container) {
		c.Networks = []spec.Endpoint{{Network: "other", Name: f.project + "_other"}}
	})
	f.observe(gone, front, joined, stranger)
	for what, c := range map[string]struct {
		err   error
		class fault.Class
	}{
		"an image":               {second(f.target.Put(f.ctx, gone)), fault.Unreachable},
		"an image that is tried": {f.target.Validate(f.ctx, []resource.Object{gone}), fault.Unreachable},
		"a network":              {second(f.target.Put(f.ctx, joined)), fault.Unreachable},
		"a network of nobody's":  {second(f.target.Put(f.ctx, stranger)), fault.Rejected},
	} {
		if fault.Of(c.err) != c.class || fault.Advice(c.err) == "" {
			t.Errorf("%s: class %v, hint %q: %v", what, fault.Of(c.err), fault.Advice(c.err), c.err)
		}
	}
	if left := dockertest.Containers(t, f.api, f.project); len(left) != 0 {
		t.Errorf("left are %d containers", len(left))
	}
}

func TestWatchWakesTheProjectButNotForProbes(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", `HEALTHCHECK --interval=1s CMD ["/app","-probe","http://127.0.0.1:8080/healthz"]`)
	o := f.container(image, "web", 1, nil)
	ref := f.put(o)
	dockertest.Eventually(t, "health", func() bool {
		h, err := f.target.Health(f.ctx, o.Key, ref)
		return err == nil && h.State == resource.Well
	})
	ctx, cancel := context.WithCancel(f.ctx)
	woken := f.engine.Watch(ctx)
	wait := func(within time.Duration) bool {
		timer := time.NewTimer(within)
		defer timer.Stop()
		for {
			select {
			case project := <-woken:
				if project == f.project {
					return true
				}
			case <-timer.C:
				return false
			}
		}
	}
	dockertest.Eventually(t, "a first event", func() bool {
		if err := f.api.ContainerRename(f.ctx, ref.ID, dockertest.Name()); err != nil {
			t.Fatal(err)
		}
		return wait(time.Second)
	})
	for wait(300 * time.Millisecond) { // what is still on its way
	}
	if wait(2500 * time.Millisecond) {
		t.Error("a health probe woke the project")
	}
	if err := f.api.ContainerPause(f.ctx, ref.ID); err != nil {
		t.Fatal(err)
	}
	if !wait(10 * time.Second) {
		t.Error("a pause did not wake the project")
	}
	cancel()
	for range woken {
	}
}

func TestEventsNameTheirProject(t *testing.T) {
	message := func(kind events.Type, id string, attributes map[string]string) events.Message {
		return events.Message{Type: kind, Actor: events.Actor{ID: id, Attributes: attributes}}
	}
	owners := map[string]string{"c1": "shop", "c2": ""}
	for name, c := range map[string]struct {
		message events.Message
		project string
		ok      bool
	}{
		"container":             {message("container", "c1", map[string]string{labelProject: "shop"}), "shop", true},
		"container of nobody":   {message("container", "c2", nil), "", false},
		"check of ours":         {message("container", "c3", map[string]string{labelProject: "shop", labelCheck: "shop"}), "shop", false},
		"network of container":  {message("network", "n", map[string]string{"container": "c1"}), "shop", true},
		"network of a stranger": {message("network", "n", map[string]string{"container": "c2"}), "", false},
		"network removed":       {message("network", "n", nil), "", true},
		"volume removed":        {message("volume", "shop_data", nil), "", true},
		"anonymous volume":      {message("volume", strings.Repeat("ab", 32), nil), "", false},
	} {
		project, ok := (&Engine{}).projectOf(t.Context(), c.message, owners)
		if project != c.project || ok != c.ok {
			t.Errorf("%s: %q, %t", name, project, ok)
		}
	}
}

func TestAnEngineThatIsAwayIsUnreachable(t *testing.T) {
	_, err := Open(t.Context(), Options{Host: "unix://" + filepath.Join(t.TempDir(), "no.sock")})
	if fault.Of(err) != fault.Unreachable || fault.Advice(err) == "" {
		t.Errorf("class %v, hint %q: %v", fault.Of(err), fault.Advice(err), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{}); fault.Of(err) != fault.Unknown || err == nil {
		t.Errorf("a cancelled context: class %v: %v", fault.Of(err), err)
	}
}

func TestMaterialisedFilesAreNamedByContent(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	f.engine.opts.Mounts = dir
	image := dockertest.Image(t, "")
	hash := filepath.Join("0123", "conf")
	if err := mkdir(filepath.Join(dir, hash)); err != nil {
		t.Fatal(err)
	}
	o := f.container(image, "web", 1, func(c *spec.Container) {
		c.Mounts = []spec.Mount{{Type: "bind", Source: spec.MountPrefix + hash, Target: "/etc/conf", ReadOnly: true}}
	})
	if err := f.target.Validate(f.ctx, []resource.Object{o}); err != nil {
		t.Error(err)
	}
	in := f.inspect(f.put(o).ID)
	if len(in.Mounts) != 1 || in.Mounts[0].Source != filepath.Join(dir, hash) {
		t.Errorf("mounted from %v", in.Mounts)
	}
	f.inSync(o)
}

// Nobody tells what a process listens on in the host's network: one that leaves it,
// or comes to it, gives way first, and holds nobody up.
func TestHostNetworkAndPublishedPortsTakeTurns(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	port := freePort(t)
	address := port.HostIP + ":" + port.Published
	host := f.container(image, "web", 1, func(c *spec.Container) {
		c.NetworkMode, c.Command = modeHost, []string{"-listen", address}
	})
	host.Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: "host network of web"}}
	published := f.container(image, "web", 1, func(c *spec.Container) {
		c.Ports = []spec.Port{port}
	})
	published.Claims = []resource.Claim{{Kind: resource.ClaimPort, Value: address + "/tcp"}}
	f.rollOut(f.plan(host))
	for _, next := range []resource.Object{published, host} {
		if err := f.target.Validate(f.ctx, []resource.Object{next}); err != nil {
			t.Fatalf("%v: %v", fault.Of(err), err)
		}
		plan := f.plan(next)
		if svc := plan.Services[0]; svc.How != apply.HowStopFirst || svc.Why != next.Claims[0].String() {
			t.Fatalf("it is replaced %s because of %q\n%s", svc.How, svc.Why, plan)
		}
		f.rollOut(plan)
		f.inSync(next)
		dockertest.Eventually(t, "an answer", func() bool { return serves(address) })
	}
}

// serves tells whether a web server listens there.
func serves(address string) bool {
	answer, err := http.Get("http://" + address)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// Engines know SELinux labels only in the short form of a bind, which makes what is
// missing: an empty directory in the place of a file.
func TestMaterialisedFilesKeepTheirSELinuxLabel(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	f.engine.opts.Mounts = dir
	image := dockertest.Image(t, "")
	bind := func(source string) resource.Object {
		return f.container(image, "web", 1, func(c *spec.Container) {
			c.Mounts = []spec.Mount{{Type: "bind", Source: spec.MountPrefix + source, Target: "/etc/conf", ReadOnly: true, SELinux: "z"}}
		})
	}
	if err := mkdir(filepath.Join(dir, "0123", "conf")); err != nil {
		t.Fatal(err)
	}
	o := bind("0123/conf")
	if err := f.target.Validate(f.ctx, []resource.Object{o}); err != nil {
		t.Error(err)
	}
	in := f.inspect(f.put(o).ID)
	if want := []string{filepath.Join(dir, "0123", "conf") + ":/etc/conf:ro,z"}; !slices.Equal(in.HostConfig.Binds, want) {
		t.Errorf("bound are %q, want %q", in.HostConfig.Binds, want)
	}
	f.inSync(o)
	for what, err := range map[string]error{"validate": f.target.Validate(f.ctx, []resource.Object{bind("4567/conf")}), "put": second(f.target.Put(f.ctx, bind("4567/conf")))} {
		if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "4567/conf") {
			t.Errorf("%s what is not there: %v (%s)", what, err, fault.Of(err))
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestShortBinds(t *testing.T) {
	s := &snapshot{mounts: "/state/mounts"}
	for line, want := range map[string]spec.Mount{
		"mount:77/conf:/etc/conf:ro,z":         {Type: "bind", Source: "mount:77/conf", Target: "/etc/conf", ReadOnly: true, SELinux: "z"},
		"/state/mounts/77/conf:/etc/conf:rw,Z": {Type: "bind", Source: "mount:77/conf", Target: "/etc/conf", SELinux: "Z"},
		"/srv/conf:/etc/conf:rw":               {Type: "bind", Source: "/srv/conf", Target: "/etc/conf"},
		"mount:/data":                          {Type: "volume", Source: "mount", Target: "/data"},
		"data:/data:ro":                        {Type: "volume", Source: "data", Target: "/data", ReadOnly: true},
	} {
		h := container.HostConfig{Binds: []string{line}}
		s.symbolicMounts(&h)
		if got := readBind(h.Binds[0]); got != want {
			t.Errorf("%s is %+v, want %+v", line, got, want)
		}
	}
}

func TestImageFactsAndPruning(t *testing.T) {
	f := newFixture(t)
	ref := dockertest.Image(t, "v1", "LABEL org.opencontainers.image.version=1.2.3 org.opencontainers.image.revision=abc")
	image, ok, err := f.engine.Image(f.ctx, ref)
	if err != nil || !ok || image.Version != "1.2.3" || image.Revision != "abc" || image.Created == "" {
		t.Errorf("%+v, %t, %v", image, ok, err)
	}
	if _, ok, err := f.engine.Image(f.ctx, dockertest.Name()); ok || err != nil {
		t.Errorf("an image that is not here: %t, %v", ok, err)
	}
	o := f.container(ref, "web", 1, nil)
	running := f.put(o)
	unused := dockertest.ImageID(t, dockertest.Image(t, "v2", "ENV UNUSED=1"))
	kept := dockertest.ImageID(t, dockertest.Image(t, "v3", "ENV KEPT=1"))
	removed, err := f.engine.PruneImages(f.ctx, []string{kept}, []string{image.ID, unused, kept, "sha256:" + strings.Repeat("1", 64)})
	if err != nil || !slices.Equal(removed, []string{unused}) {
		t.Errorf("removed %v, %v, want only %s", removed, err, unused)
	}
	f.inspect(running.ID)
}
