package compose

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/spec"
)

func mountAt(t *testing.T, a render.Answer, target string) spec.Mount {
	t.Helper()
	for _, m := range container(t, a).Mounts {
		if m.Target == target {
			return m
		}
	}
	t.Fatalf("nothing is mounted at %s", target)
	return spec.Mount{}
}

func TestAMountChangesExactlyWhenItsContentDoes(t *testing.T) {
	base := merge(web("volumes: ['./conf:/conf:ro', './one.txt:/one:ro']"), files{
		"app/conf/a": "1", "app/conf/b": "2", "app/one.txt": "1", "app/README.md": "1", "conf/a": "other",
	})
	sources := func(change files) [2]string {
		a := mustRender(t, merge(base, change).request(t))
		return [2]string{mountAt(t, a, "/conf").Source, mountAt(t, a, "/one").Source}
	}
	before := sources(nil)
	for _, s := range before {
		if !strings.HasPrefix(s, spec.MountPrefix) {
			t.Errorf("source %s is not from Git", s)
		}
	}
	for name, c := range map[string]struct {
		change    files
		conf, one bool
	}{
		"README":       {files{"app/README.md": "2"}, false, false},
		"other conf":   {files{"conf/a": "2"}, false, false},
		"compose file": {files{"app/compose.yaml": base["app/compose.yaml"] + "# comment\n"}, false, false},
		"file":         {files{"app/one.txt": "2"}, false, true},
		"in directory": {files{"app/conf/b": "3"}, true, false},
		"new file":     {files{"app/conf/c/d": "3"}, true, false},
	} {
		after := sources(c.change)
		if changed := after[0] != before[0]; changed != c.conf {
			t.Errorf("%s: /conf changed: %t", name, changed)
		}
		if changed := after[1] != before[1]; changed != c.one {
			t.Errorf("%s: /one changed: %t", name, changed)
		}
	}
}

func TestRelativeBindsThatAreNotGitsLiveInHostDir(t *testing.T) {
	for name, c := range map[string]struct{ volume, want string }{
		"writable":           {"./data:/m", "/srv/shop/data"},
		"read-only":          {"./data:/m:ro", "/srv/shop/data"},
		"tracked, writable":  {"./conf:/m", "/srv/shop/conf"},
		"beside the app":     {"../data:/m", "/srv/data"},
		"the app's own":      {".:/m", "/srv/shop"},
		"writable, in conf/": {"./conf/x:/m", "/srv/shop/conf/x"},
	} {
		t.Run(name, func(t *testing.T) {
			req := merge(web("volumes: ['"+c.volume+"']"), files{"app/conf/a": "1"}).request(t)
			err := failure(t, req)
			judge(t, req, err, fault.Blocked, "app/compose.yaml:4", "service web", "volumes", "/m", "hostDir", ":ro")
			if !strings.Contains(err.Error(), "app is blocked") {
				t.Error(err)
			}
			req.HostDir = "/srv/shop"
			m := mountAt(t, mustRender(t, req), "/m")
			if m.Source != c.want || m.CreateHostPath {
				t.Errorf("%+v, want source %s, which is never created", m, c.want)
			}
		})
	}
}

func TestAbsoluteBindsAreTakenAsTheyAre(t *testing.T) {
	a := mustRender(t, web("volumes: ['/var/run/docker.sock:/s', {type: bind, source: /b/, target: /b, bind: {create_host_path: false}}, {type: bind, source: /c, target: /c}]").request(t))
	for target, want := range map[string]spec.Mount{
		"/s": {Type: "bind", Source: "/var/run/docker.sock", Target: "/s", CreateHostPath: true},
		"/b": {Type: "bind", Source: "/b", Target: "/b"},
		"/c": {Type: "bind", Source: "/c", Target: "/c", CreateHostPath: true},
	} {
		if m := mountAt(t, a, target); m != want {
			t.Errorf("%+v, want %+v", m, want)
		}
	}
}

func TestARefusedPathIsNeverMounted(t *testing.T) {
	for name, refused := range map[string]string{"itself": "app/conf", "in it": "app/conf/big"} {
		t.Run(name, func(t *testing.T) {
			req := merge(web("volumes: ['./conf:/conf:ro']"), files{"app/conf/a": "1"}).request(t)
			req.Refused = map[string]string{refused: "an LFS pointer"}
			mustFail(t, req, fault.Rejected, "app/compose.yaml:4", "service web", "volumes", refused, "an LFS pointer")
		})
	}
}

func TestADeviceOfALocalVolumeLivesInHostDir(t *testing.T) {
	req := one("services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {driver: local, driver_opts: {o: bind, type: none, device: ./data}}}\n").request(t)
	mustFail(t, req, fault.Blocked, "app/compose.yaml:2", "volume vol", "driver_opts.device", "hostDir")
	req.HostDir = "/srv/shop"
	if got := string(object(t, mustRender(t, req), "volume/vol").Spec); !strings.Contains(got, `"device":"/srv/shop/data"`) {
		t.Error(got)
	}
}

func TestConfigsAndSecretsAreReadOnlyMounts(t *testing.T) {
	req := merge(one(`services:
  web:
    image: a
    configs: [c, {source: inline, target: /etc/x.conf, mode: 0440, uid: '5', gid: '6'}, v]
    secrets: [file, {source: env, target: pass}, host, local]
configs:
  c: {file: conf/a.conf}
  inline: {content: "port ${PORT}"}
  v: {environment: VALUE}
secrets:
  file: {file: conf/a.conf}
  env: {environment: PASSWORD}
  host: {file: "${DIR}/key"}
  local: {file: secrets/local}
`), files{"app/conf/a.conf": "1"}).request(t)
	req.Values = map[string]string{"PORT": "80", "VALUE": "v", "PASSWORD": "p4ssw0rd", "DIR": "/etc/keys"}
	req.Secret, req.HostDir = []string{"PASSWORD"}, "/srv/shop"
	a := mustRender(t, req)
	content := map[string]render.Mount{}
	for _, m := range a.Mounts {
		content[spec.MountPrefix+m.Hash+"/"+m.Name] = m
	}
	for target, want := range map[string]render.Mount{
		"/c": {Name: "a.conf", Path: "app/conf/a.conf", Mode: 0o444}, "/etc/x.conf": {Name: "x.conf", Content: []byte("port 80"), Mode: 0o440, UID: 5, GID: 6},
		"/v": {Name: "v", Content: []byte("v"), Mode: 0o444}, "/run/secrets/file": {Name: "a.conf", Path: "app/conf/a.conf", Mode: 0o444},
		"/run/secrets/pass": {Name: "pass", Content: []byte("p4ssw0rd"), Mode: 0o444},
	} {
		m := mountAt(t, a, target)
		got := content[m.Source]
		if !m.ReadOnly || got.Name != want.Name || got.Path != want.Path || string(got.Content) != string(want.Content) || got.Mode != want.Mode || got.UID != want.UID || got.GID != want.GID {
			t.Errorf("%s: %+v from %+v, want %+v", target, m, got, want)
		}
	}
	if got := mountAt(t, a, "/run/secrets/host").Source; got != "/etc/keys/key" {
		t.Errorf("the host's file is %s", got)
	}
	if got := mountAt(t, a, "/run/secrets/local").Source; got != "/srv/shop/secrets/local" {
		t.Errorf("the untracked file is %s", got)
	}
	if spec := string(object(t, a, "container/web/1").Spec); strings.Contains(spec, "p4ssw0rd") {
		t.Error("a secret's content is in the spec")
	}
	if !slices.Equal(a.Variables, []string{"DIR", "PASSWORD", "PORT", "VALUE"}) {
		t.Errorf("variables %v", a.Variables)
	}
}

func TestBadConfigsAndSecrets(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"external secret": {"services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {external: true}}\n", []string{"app/compose.yaml:2", "secret s", "external"}},
		"uid of the host": {"services: {web: {image: a, secrets: [{source: s, uid: '5'}]}}\nsecrets: {s: {file: /etc/x}}\n", []string{"service web", "secrets", "uid"}},
		"uid a name":      {"services: {web: {image: a, secrets: [{source: s, uid: me}]}}\nsecrets: {s: {environment: GIVEN}}\n", []string{"service web", "secrets", "uid", "me"}},
		"over a volume":   {"services: {web: {image: a, configs: [c], volumes: [/c]}}\nconfigs: {c: {content: x}}\n", []string{"service web", "/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := one(c.text).request(t)
			req.Values = map[string]string{"GIVEN": "x"}
			mustFail(t, req, fault.Rejected, c.words...)
		})
	}
}

// A link in a mounted directory is followed as the kernel does in the container,
// where the mount is all there is.
func TestLinksInAMountLeadWhereTheKernelLeads(t *testing.T) {
	dir := files{"app/conf/x": "1", "app/conf/deep/dir/f": "1", "app/x": "outside"}
	for name, c := range map[string]struct {
		links files
		out   string // how the error begins
	}{
		"beside":             {files{"app/conf/l": "-> x"}, ""},
		"up and in":          {files{"app/conf/deep/l": "-> ../x"}, ""},
		"to nothing":         {files{"app/conf/l": "-> nothing"}, ""},
		"to the mount":       {files{"app/conf/deep/l": "-> .."}, ""},
		"through a link, in": {files{"app/conf/s": "-> deep/dir", "app/conf/l": "-> s/../../x"}, ""},
		"up":                 {files{"app/conf/l": "-> ../x"}, "app/conf/l is a symlink out of app/conf"},
		"out and back":       {files{"app/conf/l": "-> ../conf/x"}, "app/conf/l is a symlink out of app/conf"},
		"through a link":     {files{"app/conf/s": "-> .", "app/conf/l": "-> s/../x"}, "app/conf/l is a symlink out of app/conf"},
		"through two":        {files{"app/conf/a": "-> deep", "app/conf/b": "-> a/../deep", "app/conf/l": "-> b/../../x"}, "app/conf/l is a symlink out of app/conf"},
		"in a circle":        {files{"app/conf/l": "-> m", "app/conf/m": "-> l"}, "app/conf/l: too many symlinks"},
		"absolute":           {files{"app/conf/l": "-> /etc/passwd"}, "app/conf/l is a symlink out of app/conf"},
	} {
		t.Run(name, func(t *testing.T) {
			req := merge(web("volumes: ['./conf:/conf:ro']"), dir, c.links).request(t)
			if c.out == "" {
				mustRender(t, req)
				return
			}
			mustFail(t, req, fault.Rejected, "app/compose.yaml:4", "service web", "volumes", c.out)
		})
	}
}
