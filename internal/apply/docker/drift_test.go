package docker

import (
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// TestDriftIsNamedAndRepairedInPlace: each kind of manual change shows as
// exactly that field, and Put mends it on the same container.
func TestDriftIsNamedAndRepairedInPlace(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "")
	others := []resource.Object{f.network("front", nil), f.network("back", nil), f.network("other", nil)}
	for _, o := range others {
		f.put(o)
	}
	pids := int64(50)
	update := func(u container.UpdateConfig) func(id string) error {
		return func(id string) error { _, err := f.api.ContainerUpdate(f.ctx, id, u); return err }
	}
	front, back := f.project+"_front", f.project+"_back"
	cases := map[string]struct {
		do   func(id string) error
		want []string
	}{
		"update memory":      {update(container.UpdateConfig{Resources: container.Resources{Memory: 32 << 20}}), []string{"/resources/memory"}},
		"raise memory":       {update(container.UpdateConfig{Resources: container.Resources{Memory: 96 << 20, MemorySwap: 100 << 20}}), []string{"/resources/memory", "/resources/memswap_limit"}},
		"update cpus":        {update(container.UpdateConfig{Resources: container.Resources{NanoCPUs: 1e9}}), []string{"/resources/cpus"}},
		"update shares":      {update(container.UpdateConfig{Resources: container.Resources{CPUShares: 100}}), []string{"/resources/cpu_shares"}},
		"update pids":        {update(container.UpdateConfig{Resources: container.Resources{PidsLimit: &pids}}), []string{"/resources/pids_limit"}},
		"update cpuset":      {update(container.UpdateConfig{Resources: container.Resources{CpusetCpus: "0-1"}}), []string{"/resources/cpuset"}},
		"reservation":        {update(container.UpdateConfig{Resources: container.Resources{MemoryReservation: 16 << 20}}), []string{"/resources/memory_reservation"}},
		"restart policy":     {update(container.UpdateConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}), []string{"/restart/name"}},
		"pause":              {func(id string) error { return f.api.ContainerPause(f.ctx, id) }, []string{"/state"}},
		"stop":               {func(id string) error { return f.api.ContainerStop(f.ctx, id, container.StopOptions{}) }, []string{"/state"}},
		"rename":             {func(id string) error { return f.api.ContainerRename(f.ctx, id, f.project+"-else") }, []string{"/name"}},
		"disconnect":         {func(id string) error { return f.api.NetworkDisconnect(f.ctx, front, id, false) }, []string{"/networks"}},
		"disconnect primary": {func(id string) error { return f.api.NetworkDisconnect(f.ctx, back, id, false) }, []string{"/networks"}},
		"connect":            {func(id string) error { return f.api.NetworkConnect(f.ctx, f.project+"_other", id, nil) }, []string{"/networks"}},
		"reconnect without alias": {func(id string) error {
			if err := f.api.NetworkDisconnect(f.ctx, front, id, false); err != nil {
				return err
			}
			return f.api.NetworkConnect(f.ctx, front, id, &network.EndpointSettings{Aliases: []string{"stranger"}})
		}, []string{"/networks"}},
	}
	o := f.container(image, "web", 1, func(c *spec.Container) {
		c.Restart = spec.RestartPolicy{Name: "unless-stopped"}
		c.Resources = spec.Resources{Memory: 64 << 20, MemoryReservation: 32 << 20, NanoCPUs: 5e8, CPUShares: 512, CPUSet: "0", PidsLimit: 100}
		c.Networks = []spec.Endpoint{
			{Network: "front", Name: front, Aliases: []string{"web", "www"}}, {Network: "back", Name: back, Aliases: []string{"web"}},
		}
	})
	ref := f.put(o)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := *f
			f.TB = t
			if err := c.do(ref.ID); err != nil {
				t.Fatal(err)
			}
			if got := f.drifts(o, others...); !slices.Equal(got, c.want) {
				t.Errorf("drift in %v, want %v", got, c.want)
			}
			p := f.observe(append(others, o)...)[o.Key]
			for _, field := range c.want {
				if !slices.ContainsFunc(p.InPlace, func(prefix string) bool { return under(field, prefix) }) {
					t.Errorf("%s is not among what is mended in place: %v", field, p.InPlace)
				}
			}
			if again := f.put(o); again != ref {
				t.Errorf("repaired with another container")
			}
			f.inSync(o, others...)
		})
	}
}

func under(pointer, prefix string) bool {
	return pointer == prefix || len(pointer) > len(prefix) && pointer[:len(prefix)+1] == prefix+"/"
}

func TestRemovedByHandIsMadeAgain(t *testing.T) {
	f := newFixture(t)
	o := f.container(dockertest.Image(t, ""), "web", 1, nil)
	ref := f.put(o)
	if err := f.api.ContainerRemove(f.ctx, ref.ID, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	if p := f.observe(o)[o.Key]; len(p.Live) != 0 {
		t.Fatalf("a removed container is still there: %v", p.Live)
	}
	if again := f.put(o); again == ref {
		t.Error("the same ref for a new container")
	}
	f.inSync(o)
}

// A limit cannot be taken away from a living container: the API takes zero for
// "as it was".
func TestALimitThatIsNotWantedNeedsANewContainer(t *testing.T) {
	f := newFixture(t)
	o := f.container(dockertest.Image(t, ""), "web", 1, nil)
	ref := f.put(o)
	if _, err := f.api.ContainerUpdate(f.ctx, ref.ID, container.UpdateConfig{Resources: container.Resources{Memory: 32 << 20, MemorySwap: 64 << 20}}); err != nil {
		t.Fatal(err)
	}
	p := f.observe(o)[o.Key]
	if got := diff(t, p.Stored, p.Live[0].Spec); !slices.Contains(got, "/resources/memory") {
		t.Errorf("drift in %v", got)
	}
	if slices.Contains(p.InPlace, "/resources/memory") {
		t.Error("says that it can be mended in place")
	}
	if again := f.put(o); again == ref {
		t.Error("the limited container was taken for mended")
	}
}

func TestChangedNetworkIsADifferenceAndIsNotMendedInPlace(t *testing.T) {
	f := newFixture(t)
	o := f.network("front", nil)
	ref := f.put(o)
	f.inSync(o)
	if again := f.put(o); again != ref {
		t.Error("put twice made two networks")
	}
	for name, change := range map[string]func(*spec.Network){
		"/internal":    func(n *spec.Network) { n.Internal = true },
		"/labels":      func(n *spec.Network) { n.Labels = map[string]string{"a": "b"} },
		"/ipam/config": func(n *spec.Network) { n.IPAM = &spec.IPAM{Config: []spec.Subnet{{Subnet: "10.213.250.0/24"}}} },
		"/driver_opts": func(n *spec.Network) {
			n.Options = map[string]string{"com.docker.network.bridge.enable_icc": "false"}
		},
	} {
		changed := f.network("front", change)
		if got := f.drifts(changed); !slices.Equal(got, []string{name}) {
			t.Errorf("drift in %v, want %s", got, name)
		}
		if _, err := f.target.Put(f.ctx, changed); err == nil {
			t.Errorf("%s: put over a network that differs", name)
		}
		fresh := f.network("n"+name[1:4], change)
		f.put(fresh)
		f.inSync(fresh)
	}
}

func TestVolumesAreKeptAndExternalOnesMustExist(t *testing.T) {
	f := newFixture(t)
	o := f.volume("data", func(v *spec.Volume) { v.Labels = map[string]string{"a": "b"} })
	ref := f.put(o)
	f.inSync(o)
	if p := f.observe(o)[o.Key]; !p.Kept {
		t.Error("a volume is not marked as holding data")
	}
	changed := f.volume("data", func(v *spec.Volume) { v.Options = map[string]string{"type": "tmpfs", "device": "tmpfs"} })
	if got := f.drifts(changed); len(got) == 0 {
		t.Error("a changed volume shows no difference")
	}
	if _, err := f.target.Put(f.ctx, changed); err == nil {
		t.Error("put over a volume that differs")
	}
	external := f.volume("outside", func(v *spec.Volume) { v.External = true })
	if p := f.observe(external)[external.Key]; len(p.Live) != 0 {
		t.Error("an external volume that does not exist is live")
	}
	if _, err := f.target.Put(f.ctx, external); err == nil {
		t.Error("made an external volume")
	}
	if p := f.observe()[o.Key]; len(p.Live) != 1 || p.Want != nil {
		t.Errorf("a volume that is not wanted any more: %+v", p)
	}
	for range 2 {
		if err := f.target.Remove(f.ctx, o.Key, ref); err != nil {
			t.Error(err)
		}
	}
}
