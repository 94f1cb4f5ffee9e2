package docker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// imageLines make an image that has something to inherit of every kind.
var imageLines = []string{
	`ENV PATH=/bin APP_VERSION=7 FROM_IMAGE=yes`, `LABEL image.label=here`, `EXPOSE 8080 9000/udp`, `VOLUME /var/data`,
	`WORKDIR /srv`, `USER 0:0`, `STOPSIGNAL SIGINT`, `CMD ["-version","9"]`,
	`HEALTHCHECK --interval=7s --timeout=3s --retries=4 CMD ["/app","-probe","http://127.0.0.1:8080/healthz"]`,
}

// fields are settings of a container, one or a few at a time.
func fields(f *fixture, dir string) map[string]func(*spec.Container) {
	ptr := func(b bool) *bool { return &b }
	swappiness, grace := int64(10), 1500*time.Millisecond
	mount := func(m spec.Mount) func(*spec.Container) {
		return func(c *spec.Container) { c.Mounts = []spec.Mount{m} }
	}
	resources := func(r spec.Resources) func(*spec.Container) {
		return func(c *spec.Container) { c.Resources = r }
	}
	security := func(s spec.Security) func(*spec.Container) {
		return func(c *spec.Container) { c.Security = s }
	}
	networks := func(e ...spec.Endpoint) func(*spec.Container) {
		return func(c *spec.Container) { c.Networks = e }
	}
	front := spec.Endpoint{Network: "front", Name: f.project + "_front", Aliases: []string{"web"}}
	back := spec.Endpoint{Network: "back", Name: f.project + "_back", Aliases: []string{"web", "api"}}
	return map[string]func(*spec.Container){
		"nothing":               nil,
		"command":               func(c *spec.Container) { c.Command = []string{"-version", "2"} },
		"entrypoint":            func(c *spec.Container) { c.Entrypoint = []string{"/app", "-version", "3"} },
		"entrypoint, command":   func(c *spec.Container) { c.Entrypoint = []string{"/app"}; c.Command = []string{"-version", "3"} },
		"no entrypoint":         func(c *spec.Container) { c.Entrypoint = []string{}; c.Command = []string{"/app"} },
		"environment":           func(c *spec.Container) { c.Environment = map[string]string{"A": "1", "EMPTY": "", "X": "a=b"} },
		"environment of image":  func(c *spec.Container) { c.Environment = map[string]string{"APP_VERSION": "7", "FROM_IMAGE": "no"} },
		"working_dir":           func(c *spec.Container) { c.WorkingDir = "/other/" },
		"user, group_add":       func(c *spec.Container) { c.User = "1000:1000"; c.GroupAdd = []string{"20", "10"} },
		"hostname":              func(c *spec.Container) { c.Hostname = "db"; c.DomainName = "example.org" },
		"hostname on a network": func(c *spec.Container) { c.Hostname = "db"; c.Networks = []spec.Endpoint{front} },
		"hostname with dots":    func(c *spec.Container) { c.Hostname = "db.example.org" },
		"mac_address":           func(c *spec.Container) { c.MacAddress = "02:42:ac:11:65:43" },
		"mac_address, network":  func(c *spec.Container) { c.Networks = []spec.Endpoint{front}; c.MacAddress = "02:42:AC:11:65:44" },
		"endpoint mac":          networks(func() spec.Endpoint { e := front; e.MacAddress = "02:42:ac:11:65:45"; return e }()),
		"tty, stdin":            func(c *spec.Container) { c.TTY = true; c.StdinOpen = true },
		"init":                  func(c *spec.Container) { c.Init = ptr(true) },
		"init off":              func(c *spec.Container) { c.Init = ptr(false) },
		"labels":                func(c *spec.Container) { c.Labels = map[string]string{"a": "b", "image.label": "mine", "e": ""} },
		"label of image":        func(c *spec.Container) { c.Labels = map[string]string{"image.label": "here"} },
		"ports": func(c *spec.Container) {
			c.Ports = []spec.Port{{HostIP: "127.0.0.1", Published: "0", Target: 8080, Protocol: "tcp"}}
		},
		"port ephemeral": func(c *spec.Container) {
			c.Ports = []spec.Port{{HostIP: "127.0.0.1", Target: 8080, Protocol: "tcp"}, {HostIP: "127.0.0.1", Target: 81, Protocol: "udp"}}
		},
		"port fixed": func(c *spec.Container) {
			c.Ports = []spec.Port{freePort(f), freePort(f)}
		},
		"expose":               func(c *spec.Container) { c.Expose = []string{"7000", "8080/tcp", "7001-7003/udp"} },
		"network_mode host":    func(c *spec.Container) { c.NetworkMode = "host"; c.Command = []string{"-listen", "127.0.0.1:0"} },
		"network_mode none":    func(c *spec.Container) { c.NetworkMode = "none" },
		"network_mode bridge":  func(c *spec.Container) { c.NetworkMode = "bridge" },
		"network_mode service": func(c *spec.Container) { c.NetworkMode = "service:peer"; c.Command = []string{"-listen", ":8081"} },
		"network_mode container": func(c *spec.Container) {
			c.NetworkMode = "container:" + f.project + "-peer-1"
			c.Command = []string{"-listen", ":8081"}
		},
		"one network":  networks(front),
		"two networks": networks(front, back),
		"priority":     networks(front, func() spec.Endpoint { e := back; e.Priority = 100; return e }()),
		"address":      networks(func() spec.Endpoint { e := back; e.IPv4 = "10.213.251.7"; return e }(), front),
		"dns": func(c *spec.Container) {
			c.DNS = []string{"9.9.9.9", "1.1.1.1"}
			c.DNSOptions = []string{"ndots:2"}
			c.DNSSearch = []string{"example.org"}
		},
		"extra_hosts": func(c *spec.Container) {
			c.ExtraHosts = []string{"b:10.0.0.2", "a:10.0.0.1", "c=10.0.0.3", "six:[::1]"}
		},
		"links":               func(c *spec.Container) { c.Networks = []spec.Endpoint{front}; c.Links = []string{"peer:db", "peer"} },
		"volume":              mount(spec.Mount{Type: "volume", Source: f.project + "_data", Target: "/data"}),
		"volume read-only":    mount(spec.Mount{Type: "volume", Source: f.project + "_data", Target: "/data", ReadOnly: true}),
		"volume nocopy":       mount(spec.Mount{Type: "volume", Source: f.project + "_data", Target: "/data/", NoCopy: true}),
		"volume over image":   mount(spec.Mount{Type: "volume", Source: f.project + "_data", Target: "/var/data"}),
		"anonymous volume":    mount(spec.Mount{Type: "volume", Target: "/anon"}),
		"bind":                mount(spec.Mount{Type: "bind", Source: dir, Target: "/bind"}),
		"bind read-only":      mount(spec.Mount{Type: "bind", Source: dir, Target: "/bind", ReadOnly: true, Propagation: "private"}),
		"bind made":           mount(spec.Mount{Type: "bind", Source: dir + "/made/here", Target: "/bind", CreateHostPath: true}),
		"bind made read-only": mount(spec.Mount{Type: "bind", Source: dir + "/made/here", Target: "/bind", CreateHostPath: true, ReadOnly: true, Propagation: "private", SELinux: "z"}),
		"bind consistency":    mount(spec.Mount{Type: "bind", Source: dir, Target: "/bind", Consistency: "cached"}),
		"tmpfs mount":         mount(spec.Mount{Type: "tmpfs", Target: "/run", TmpfsSize: 1 << 20, TmpfsMode: 0o1770}),
		"tmpfs":               func(c *spec.Container) { c.Tmpfs = map[string]string{"/run": "", "/tmp": "size=64k,mode=1777"} },
		"volumes_from": func(c *spec.Container) {
			c.VolumesFrom = []string{"service:peer:ro", "container:" + f.project + "-peer-1"}
		},
		"healthcheck": func(c *spec.Container) {
			c.Healthcheck = &spec.Healthcheck{Test: []string{"CMD", "/app", "-probe", "http://127.0.0.1:8080/"}, Interval: time.Minute, Timeout: time.Second, StartPeriod: 2 * time.Second, Retries: 2}
		},
		"healthcheck in part":     func(c *spec.Container) { c.Healthcheck = &spec.Healthcheck{Interval: time.Minute, Retries: 4} },
		"healthcheck off":         func(c *spec.Container) { c.Healthcheck = &spec.Healthcheck{Test: []string{"NONE"}} },
		"restart always":          func(c *spec.Container) { c.Restart = spec.RestartPolicy{Name: "always"} },
		"restart on-failure":      func(c *spec.Container) { c.Restart = spec.RestartPolicy{Name: "on-failure", MaxRetries: 5} },
		"restart unless-stopped":  func(c *spec.Container) { c.Restart = spec.RestartPolicy{Name: "unless-stopped"} },
		"stop_signal":             func(c *spec.Container) { c.StopSignal = "USR1" },
		"stop_signal of image":    func(c *spec.Container) { c.StopSignal = "2" },
		"stop_grace_period":       func(c *spec.Container) { c.StopGrace = &grace },
		"stop_grace_period unset": func(c *spec.Container) { c.StopGrace = nil },
		"hooks": func(c *spec.Container) {
			c.PostStart = []spec.Hook{{Command: []string{"/app", "-exit", "0"}, Environment: map[string]string{"K": "v"}}}
			c.PreStop = []spec.Hook{{Command: []string{"/app", "-exit", "0"}}}
		},
		"drain":                 func(c *spec.Container) { c.Drain = 2 * time.Second },
		"cpus":                  resources(spec.Resources{NanoCPUs: 5e8}),
		"cpu":                   resources(spec.Resources{CPUShares: 512, CPUPeriod: 50000, CPUQuota: 25000, CPUSet: "0"}),
		"memory":                resources(spec.Resources{Memory: 64 << 20}),
		"memory, all":           resources(spec.Resources{Memory: 64 << 20, MemoryReservation: 32 << 20, MemorySwap: 96 << 20, MemorySwappiness: &swappiness, OOMScoreAdj: 100}),
		"memory unlimited swap": resources(spec.Resources{Memory: 64 << 20, MemorySwap: -1}),
		"oom_kill_disable":      resources(spec.Resources{Memory: 64 << 20, OOMKillDisable: true}),
		"pids_limit, shm_size":  resources(spec.Resources{PidsLimit: 100, ShmSize: 128 << 20}),
		"shm_size as default":   resources(spec.Resources{ShmSize: 64 << 20}),
		"cgroup_parent":         resources(spec.Resources{CgroupParent: "/syncdtest"}),
		"ulimits":               resources(spec.Resources{Ulimits: []spec.Ulimit{{Name: "nproc", Soft: 500, Hard: 600}, {Name: "nofile", Soft: 1024, Hard: 2048}}}),
		"devices":               resources(spec.Resources{Devices: []spec.Device{{Source: "/dev/zero", Target: "/dev/nothing", Permissions: "r"}, {Source: "/dev/null"}}, DeviceCgroupRules: []string{"c 1:3 mr"}}),
		"blkio":                 resources(spec.Resources{BlkioDevices: []spec.BlkioDevice{}}),
		"privileged":            security(spec.Security{Privileged: true}),
		"read_only":             security(spec.Security{ReadOnly: true}),
		"capabilities":          security(spec.Security{CapAdd: []string{"NET_ADMIN", "CAP_SYS_TIME"}, CapDrop: []string{"ALL"}}),
		"security_opt":          security(spec.Security{SecurityOpt: []string{"no-new-privileges:true", "seccomp=unconfined"}}),
		"system paths":          security(spec.Security{SecurityOpt: []string{"systempaths=unconfined"}}),
		"sysctls":               security(spec.Security{Sysctls: map[string]string{"net.core.somaxconn": "1024"}}),
		"ipc host":              security(spec.Security{IPC: "host"}),
		"ipc shareable":         security(spec.Security{IPC: "shareable"}),
		"ipc service":           security(spec.Security{IPC: "service:peer"}),
		"pid host":              security(spec.Security{PID: "host"}),
		"pid service":           security(spec.Security{PID: "service:peer"}),
		"uts host":              security(spec.Security{UTS: "host"}),
		"userns host":           security(spec.Security{UserNS: "host"}),
		"cgroup private":        security(spec.Security{Cgroup: "private"}),
		"cgroup host":           security(spec.Security{Cgroup: "host"}),
		"logging": func(c *spec.Container) {
			c.Logging = &spec.Logging{Driver: "json-file", Options: map[string]string{"max-size": "10m"}}
		},
		"logging none":         func(c *spec.Container) { c.Logging = &spec.Logging{Driver: "none"} },
		"logging options only": func(c *spec.Container) { c.Logging = &spec.Logging{Options: map[string]string{"max-file": "3"}} },
		"runtime":              func(c *spec.Container) { c.Runtime = "runc" },
		"container_name":       func(c *spec.Container) { c.Name = f.project + "-own" },
		"unpinned":             func(c *spec.Container) { c.Pin = "" },
	}
}

func TestEveryFieldReadsBackAsWritten(t *testing.T) {
	f := newFixture(t)
	image := dockertest.Image(t, "", imageLines...)
	others := []resource.Object{
		f.network("front", nil),
		f.network("back", func(n *spec.Network) {
			n.IPAM = &spec.IPAM{Config: []spec.Subnet{{Subnet: "10.213.251.0/24"}}}
		}),
		f.volume("data", nil),
		f.container(image, "peer", 1, func(c *spec.Container) {
			c.Networks = []spec.Endpoint{{Network: "front", Name: f.project + "_front", Aliases: []string{"peer"}}}
			c.Security.IPC = "shareable"
		}),
	}
	for _, o := range others {
		f.put(o)
	}
	for name, change := range fields(f, t.TempDir()) {
		t.Run(name, func(t *testing.T) {
			f := *f
			f.TB = t
			o := f.container(image, "web", 1, change)
			t.Cleanup(func() { f.removeAll(o.Key) })
			ref, err := f.target.Put(f.ctx, o)
			if err != nil && strings.Contains(err.Error(), "unable to apply caps") { // this machine may not
				if drifts := f.drifts(o, others...); !slices.Equal(drifts, []string{"/state"}) {
					t.Errorf("differs in %v, want only /state", drifts)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			f.inSync(o, others...)
			if again := f.put(o); again != ref {
				t.Errorf("a second put made another container")
			}
		})
	}
}
