package docker

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// composeCommand is the Compose that this machine has.
func composeCommand(t *testing.T) []string {
	t.Helper()
	if exec.Command("docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if path, err := exec.LookPath("docker-compose"); err == nil {
		return []string{path}
	}
	t.Fatal("neither `docker compose` nor docker-compose is here: apt-get install docker-compose")
	return nil
}

const adopted = `
services:
  web:
    image: IMAGE
    command: ["-version", "5"]
    environment: {A: "1", URL: "http://x/?a=b"}
    labels: {team: shop}
    ports: ["127.0.0.1:PORT:8080", "127.0.0.1::9000/udp"]
    expose: ["7000"]
    volumes: ["data:/data", "./conf:/etc/conf:ro", "./made:/made", "/anon", {type: tmpfs, target: /cache, tmpfs: {size: 1048576}}]
    tmpfs: [/run]
    networks: {front: {aliases: [www]}, back: {ipv4_address: 10.213.249.9}}
    restart: unless-stopped
    stop_signal: SIGUSR1
    stop_grace_period: 3s
    healthcheck: {test: ["CMD", "/app", "-probe", "http://127.0.0.1:8080/"], interval: 1m, retries: 2}
    user: "0"
    working_dir: /data
    hostname: shop
    cap_add: [NET_ADMIN]
    cap_drop: [ALL]
    dns: [9.9.9.9]
    extra_hosts: ["a:10.0.0.1"]
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    sysctls: {net.core.somaxconn: 1024}
    security_opt: ["no-new-privileges:true"]
    shm_size: 128m
    init: true
    read_only: true
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 100
    logging: {driver: json-file, options: {max-size: 1m}}
    depends_on: [db]
    deploy: {replicas: 2}
  db:
    image: IMAGE
    tty: true
    init: true
  side:
    image: IMAGE
    command: ["-listen", ":8081"]
    network_mode: "service:db"
networks:
  front: {}
  back: {ipam: {config: [{subnet: 10.213.249.0/24}]}}
volumes:
  data: {}
`

// TestAdoptedComposeProjectIsInSync: what Compose started equals what we would
// make, but for its underscores in names where it is old; nothing restarts.
func TestAdoptedComposeProjectIsInSync(t *testing.T) {
	f := newFixture(t)
	compose := composeCommand(t)
	image := dockertest.Image(t, "", imageLines...)
	dir := t.TempDir()
	for _, root := range []string{filepath.Join(dir, "conf"), filepath.Join(dir, "mounts", "77", "conf")} {
		if err := mkdir(root); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "app.conf"), []byte("a=1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.engine.opts.Mounts = filepath.Join(dir, "mounts")
	port := freePort(t)
	text := "version: \"3.9\"" + strings.NewReplacer("IMAGE", image, "PORT", port.Published).Replace(adopted)
	text = strings.ReplaceAll(text, "    deploy: {replicas: 2}\n", "")
	if !strings.HasSuffix(compose[0], "docker") { // 1.29 knows these in files of version 2 only
		text = strings.Replace(text, `"3.9"`, `"2.4"`, 1)
	}
	if err := os.WriteFile(filepath.Join(dir, "docker-compose.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(f.ctx, compose[0], append(compose[1:], "-p", f.project, "up", "-d")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compose up: %v\n%s", err, out)
	}
	want := f.adoptedObjects(image, dir, port)
	before := map[string]string{}
	var refs []resource.Ref
	for _, in := range dockertest.Containers(t, f.api, f.project) {
		before[in.ID] = in.State.StartedAt
		refs = append(refs, resource.Ref{ID: in.ID})
	}
	foreign := f.observe(want...)
	if p := foreign[slotKey("web", "1")]; len(p.Live) != 1 || !p.Live[0].Foreign {
		t.Errorf("before adoption a Compose container is not foreign: %+v", p.Live)
	}
	owned := apply.Owned{App: f.project, Adopted: refs}
	pairs, err := f.target.Observe(f.ctx, want, owned)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if len(p.Live) != 1 || p.Live[0].Foreign {
			t.Errorf("%s: %+v", p.Key, p.Live)
			continue
		}
		got := diff(t, p.Stored, p.Live[0].Spec)
		got = slices.DeleteFunc(got, func(field string) bool { return field == "/name" })
		if len(got) > 0 {
			t.Errorf("%s differs in %v\nstored %s\nlive   %s", p.Key, got, p.Stored, p.Live[0].Spec)
		}
		if _, err := f.target.Put(f.ctx, *p.Want); err != nil {
			t.Errorf("put %s: %v", p.Key, err)
		}
	}
	pairs, err = f.target.Observe(f.ctx, want, owned)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if len(p.Live) != 1 || string(p.Stored) != string(p.Live[0].Spec) {
			t.Errorf("%s is not in sync after put: %d instances", p.Key, len(p.Live))
		}
	}
	for _, in := range dockertest.Containers(t, f.api, f.project) {
		if before[in.ID] != in.State.StartedAt {
			t.Errorf("%s was restarted or replaced", in.Name)
		}
	}
	next := f.inspect(f.put(f.container(image, "later", 1, nil)).ID).Config.Labels
	if next[labelWorkingDir] != dir || next[labelConfigFiles] == "" {
		t.Errorf("`docker compose ls` cannot tell where a later container comes from: %q, %q", next[labelWorkingDir], next[labelConfigFiles])
	}
	if err := os.WriteFile(filepath.Join(dir, "conf", "app.conf"), []byte("a=2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := f.drifts(want[6], want[:6]...); !slices.Equal(got, []string{"/volumes"}) {
		t.Errorf("an edited file of an adopted container: drift in %v, want /volumes", got)
	}
}

// adoptedObjects is what the Compose file above means.
func (f *fixture) adoptedObjects(image, dir string, port spec.Port) []resource.Object {
	grace, init := 3*time.Second, true
	bind := func(source, target string, ro bool) spec.Mount {
		return spec.Mount{Type: "bind", Source: filepath.Join(dir, source), Target: target, ReadOnly: ro, CreateHostPath: true}
	}
	// Git tracks ./conf: what is wanted is a copy of it, addressed by its content
	materialised := spec.Mount{Type: "bind", Source: spec.MountPrefix + "77/conf", Target: "/etc/conf", ReadOnly: true}
	fallback := spec.Endpoint{Network: "default", Name: f.project + "_default"}
	own := func(service string) []spec.Endpoint {
		e := fallback
		e.Aliases = []string{service}
		return []spec.Endpoint{e}
	}
	unset := func(c *spec.Container) { c.StopGrace = nil }
	return []resource.Object{
		f.network("default", nil), f.network("front", nil),
		f.network("back", func(n *spec.Network) {
			n.IPAM = &spec.IPAM{Config: []spec.Subnet{{Subnet: "10.213.249.0/24"}}}
		}),
		f.volume("data", nil),
		f.container(image, "db", 1, func(c *spec.Container) {
			unset(c)
			c.TTY, c.Init, c.Networks = true, &init, own("db")
		}),
		f.container(image, "side", 1, func(c *spec.Container) {
			unset(c)
			c.NetworkMode, c.Command = "service:db", []string{"-listen", ":8081"}
		}),
		f.container(image, "web", 1, func(c *spec.Container) {
			*c = spec.Container{
				Name: c.Name, Project: c.Project, Service: c.Service, Number: c.Number, Image: c.Image, Pin: c.Pin,
				Command: []string{"-version", "5"}, Environment: map[string]string{"A": "1", "URL": "http://x/?a=b"},
				Labels: map[string]string{"team": "shop"}, Expose: []string{"7000/tcp"},
				Ports: []spec.Port{
					port,
					{HostIP: "127.0.0.1", Target: 9000, Protocol: "udp"},
				},
				Mounts: []spec.Mount{
					{Type: "volume", Source: f.project + "_data", Target: "/data"}, materialised, bind("made", "/made", false),
					{Type: "volume", Target: "/anon"}, {Type: "tmpfs", Target: "/cache", TmpfsSize: 1048576},
				},
				Tmpfs: map[string]string{"/run": ""},
				Networks: []spec.Endpoint{
					{Network: "front", Name: f.project + "_front", Aliases: []string{"www", "web"}},
					{Network: "back", Name: f.project + "_back", Aliases: []string{"web"}, IPv4: "10.213.249.9"},
				},
				Restart: spec.RestartPolicy{Name: "unless-stopped"}, StopSignal: "SIGUSR1", StopGrace: &grace,
				Healthcheck: &spec.Healthcheck{Test: []string{"CMD", "/app", "-probe", "http://127.0.0.1:8080/"}, Interval: time.Minute, Retries: 2},
				User:        "0", WorkingDir: "/data", Hostname: "shop", DNS: []string{"9.9.9.9"}, ExtraHosts: []string{"a:10.0.0.1"}, Init: &init,
				Resources: spec.Resources{
					ShmSize: 128 << 20, Memory: 64 << 20, NanoCPUs: 5e8, PidsLimit: 100, Ulimits: []spec.Ulimit{{Name: "nofile", Soft: 1024, Hard: 2048}},
				},
				Security: spec.Security{
					CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"ALL"}, Sysctls: map[string]string{"net.core.somaxconn": "1024"},
					SecurityOpt: []string{"no-new-privileges:true"}, ReadOnly: true,
				},
				Logging: &spec.Logging{Driver: "json-file", Options: map[string]string{"max-size": "1m"}},
			}
		}),
	}
}
