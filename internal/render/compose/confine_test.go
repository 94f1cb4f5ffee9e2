package compose

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

// secretOutside is in a file beside the repository: no error may show it, and
// no rendering may take it in.
const secretOutside = "OUTSIDE=0utside-secret"

func TestNoPathLeavesTheRepository(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte(secretOutside+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files files
		words []string
	}{
		"env_file climbs":       {web("env_file: ../../x.env"), []string{"app/compose.yaml:4", "service web", "env_file"}},
		"env_file absolute":     {web("env_file: " + outside), []string{"app/compose.yaml:4", "service web", "env_file", "host.envFiles"}},
		"env_file long form":    {web("env_file: [{path: " + outside + "}]"), []string{"service web", "env_file"}},
		"env_file home":         {web("env_file: ~/x.env"), []string{"service web", "env_file", "~"}},
		"env_file symlink":      {merge(web("env_file: link"), files{"app/link": "-> " + outside}), []string{"service web", "env_file", "app/link"}},
		"env_file link climbs":  {merge(web("env_file: link"), files{"app/link": "-> ../../x"}), []string{"service web", "env_file", "app/link"}},
		"env_file link loops":   {merge(web("env_file: link"), files{"app/link": "-> link"}), []string{"service web", "env_file", "symlinks"}},
		"env_file in link":      {merge(web("env_file: link/outside"), files{"app/link": "-> " + filepath.Dir(outside)}), []string{"service web", "env_file"}},
		"label_file climbs":     {web("label_file: ../../x"), []string{"service web", "label_file"}},
		"label_file symlink":    {merge(web("label_file: link"), files{"app/link": "-> " + outside}), []string{"service web", "label_file"}},
		"extends climbs":        {web("extends: {file: ../../x.yaml, service: a}"), []string{"app/compose.yaml:4", "service web", "extends"}},
		"extends absolute":      {web("extends: {file: " + outside + ", service: a}"), []string{"service web", "extends"}},
		"extends symlink":       {merge(web("extends: {file: link, service: a}"), files{"app/link": "-> " + outside}), []string{"app/link"}},
		"extends of extends":    {merge(web("extends: {file: d/b.yaml, service: b}"), files{"app/d/b.yaml": "services: {b: {extends: {file: ../../../x.yaml, service: c}}}\n"}), []string{"service web", "extends"}},
		"include climbs":        {one("include: [../../x.yaml]\n" + webOnly), []string{"app/compose.yaml:1", "include"}},
		"include absolute":      {one("include: [" + outside + "]\n" + webOnly), []string{"app/compose.yaml:1", "include"}},
		"include symlink":       {merge(one("include: [link]\n"+webOnly), files{"app/link": "-> " + outside}), []string{"app/link"}},
		"include directory":     {merge(one("include: [{path: i.yaml, project_directory: ../..}]\n"+webOnly), files{"app/i.yaml": webOnly}), []string{"include", "project_directory"}},
		"include env_file":      {merge(one("include: [{path: i.yaml, env_file: ../../x}]\n"+webOnly), files{"app/i.yaml": webOnly}), []string{"include", "env_file"}},
		"include's own .env":    {merge(one("include: [s/i.yaml]\n"+webOnly), files{"app/s/i.yaml": webOnly, "app/s/.env": "-> " + outside}), []string{"app/s/.env"}},
		"included env_file":     {merge(one("include: [s/i.yaml]\n"), files{"app/s/i.yaml": service("web", "image: a\nenv_file: ../../../x")}), []string{"app/s/i.yaml:4", "service web", "env_file"}},
		"include in an include": {merge(one("include: [s/i.yaml]\n"+webOnly), files{"app/s/i.yaml": "include: [{path: j.yaml, env_file: ../e}]\n" + webOnly, "app/s/j.yaml": webOnly}), []string{"app/s/i.yaml:1", "include"}},
		".env symlink":          {merge(web(""), files{"app/.env": "-> " + outside}), []string{"app/.env"}},
		"config climbs":         {one("services: {web: {image: a, configs: [c]}}\nconfigs: {c: {file: ../../x}}\n"), []string{"app/compose.yaml:2", "config c", "file"}},
		"secret climbs":         {one("services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: ../../x}}\n"), []string{"app/compose.yaml:2", "secret s", "file"}},
		"secret symlink":        {merge(one("services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: link}}\n"), files{"app/link": "-> " + outside}), []string{"service web", "secrets", "app/link"}},
		"secret home":           {one("services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: ~/x}}\n"), []string{"secret s", "~"}},
		"bind climbs":           {web("volumes: ['../../data:/data']"), []string{"app/compose.yaml:4", "service web", "volumes", "absolute path"}},
		"bind home":             {web("volumes: ['~/data:/data']"), []string{"service web", "volumes", "~"}},
		"bind symlink":          {merge(web("volumes: ['./link:/data:ro']"), files{"app/link": "-> " + outside}), []string{"service web", "volumes", "app/link"}},
		"bind Windows":          {web(`volumes: [{type: bind, source: 'C:\data', target: /data}]`), []string{"service web", "volumes"}},
		"symlink in a bind":     {merge(web("volumes: ['./conf:/conf:ro']"), files{"app/conf/a": "x", "app/conf/link": "-> ../../other"}), []string{"service web", "volumes", "app/conf/link"}},
		"volume device climbs":  {one("services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {driver: local, driver_opts: {o: bind, type: none, device: ../../x}}}\n"), []string{"volume vol", "driver_opts.device"}},
		"entry symlink":         {files{"app/compose.yaml": "-> " + outside}, []string{"app/compose.yaml"}},
		"entry link climbs":     {files{"app/compose.yaml": "-> ../../x"}, []string{"app/compose.yaml"}},
		"entry is a directory":  {files{"app/compose.yaml/x": ""}, []string{"app/compose.yaml", "regular"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.files.request(t)
			req.HostDir = "/srv/shop"
			err := failure(t, req)
			judge(t, req, err, fault.Rejected, c.words...)
			if strings.Contains(err.Error(), "0utside") {
				t.Errorf("the error shows what is outside: %v", err)
			}
		})
	}
}

func merge(all ...files) files {
	out := files{}
	for _, f := range all {
		maps.Copy(out, f)
	}
	return out
}

func TestFilesOfSyncdYAMLStayInside(t *testing.T) {
	req := web("").request(t)
	req.App.Config.Compose = []string{"../../x.yaml"}
	mustFail(t, req, fault.Rejected, "app/.syncd.yaml", "compose", "../../x.yaml")
}

func TestSymlinksInsideTheRepositoryWork(t *testing.T) {
	f := merge(files{
		"app/compose.yaml":  "-> ../common/entry.yaml",
		"common/entry.yaml": service("web", "image: a\nenv_file: e\nvolumes: ['./conf:/conf:ro', './d/one:/one:ro']\nextends: {file: base, service: b}"),
		"app/e":             "-> ../common/env",
		"common/env":        "A=1\n",
		"app/conf":          "-> ../common/conf",
		"common/conf/a":     "x",
		"app/d":             "-> ../common/conf",
		"common/conf/one":   "y",
		"common/conf/up":    "-> ./one",
		"app/base":          "-> ../common/base.yaml",
		"common/base.yaml":  "services: {b: {hostname: h}}\n",
	})
	a := mustRender(t, f.request(t))
	c := container(t, a)
	if c.Environment["A"] != "1" || c.Hostname != "h" || !strings.HasSuffix(c.Mounts[0].Source, "/conf") || !strings.HasSuffix(c.Mounts[1].Source, "/one") {
		t.Errorf("%+v", c)
	}
	for _, m := range a.Mounts {
		if m.Path != "common/conf" && m.Path != "common/conf/one" {
			t.Errorf("mount from %s", m.Path)
		}
	}
	inputs := strings.Join(a.Inputs, " ")
	for _, want := range []string{"app/compose.yaml", "common/entry.yaml", "common/env", "app/e", "common/conf/", "app/conf", "common/base.yaml"} {
		if !strings.Contains(" "+inputs+" ", " "+want+" ") {
			t.Errorf("inputs lack %s: %s", want, inputs)
		}
	}
}

func TestIncludeAndExtendsInsideTheRepository(t *testing.T) {
	f := files{
		"app/compose.yaml":    "include: [../lib/db/compose.yaml, {path: [sub/i.yaml, sub/o.yaml], env_file: vars}]\n" + service("web", "image: a\nextends: {file: ../lib/base.yaml, service: b}"),
		"app/vars":            "TAG=7\n",
		"app/sub/i.yaml":      "include: [deep/j.yaml]\nservices: {i: {image: 'i:${TAG}', volumes: ['./f:/f:ro']}}\n",
		"app/sub/o.yaml":      "services: {i: {hostname: over}}\n",
		"app/sub/f":           "1",
		"app/sub/deep/j.yaml": "services: {j: {image: j, volumes: ['./g:/g:ro'], env_file: e}}\n",
		"app/sub/deep/g":      "2",
		"app/sub/deep/e":      "E=1\n",
		"lib/db/compose.yaml": "services: {db: {image: 'db:${V}', volumes: ['./init:/init:ro']}}\n",
		"lib/db/.env":         "V=16\n",
		"lib/db/init/a.sql":   "x",
		"lib/base.yaml":       "services: {b: {extends: {file: more/c.yaml, service: c}}}\n",
		"lib/more/c.yaml":     "services: {c: {hostname: c, env_file: e}}\n",
		"lib/more/e":          "FROM=c\n",
	}
	a := mustRender(t, f.request(t))
	for key, want := range map[string]string{
		"container/db/1": `"image":"db:16"`, "container/i/1": `"image":"i:7"`, "container/j/1": `"E":"1"`, "container/web/1": `"FROM":"c"`,
	} {
		if got := string(object(t, a, key).Spec); !strings.Contains(got, want) {
			t.Errorf("%s lacks %s: %s", key, want, got)
		}
	}
	var paths []string
	for _, m := range a.Mounts {
		paths = append(paths, m.Path)
	}
	if len(paths) != 3 {
		t.Errorf("mounts %v", paths)
	}
	if got := string(object(t, a, "container/i/1").Spec); !strings.Contains(got, `"hostname":"over"`) {
		t.Errorf("the include's override is missing: %s", got)
	}
}

// The scanner sees what compose-go sees. Should it ever miss an include or an
// extends, the gate refuses it.
func TestTheGateRefusesWhatTheScannerDidNotSee(t *testing.T) {
	for name, f := range map[string]files{
		"include": merge(one("include: [i.yaml]\n"+webOnly), files{"app/i.yaml": "services: {x: {image: a}}\n"}),
		"extends": merge(web("extends: {file: i.yaml, service: x}"), files{"app/i.yaml": "services: {x: {image: a}}\n"}),
	} {
		t.Run(name, func(t *testing.T) {
			a := unscanned(t, f.request(t))
			_, err := a.compose(t.Context(), []string{"app/compose.yaml"}, newScanner(a))
			if err == nil || !strings.Contains(err.Error(), "not checked") {
				t.Errorf("loaded: %v", err)
			}
		})
	}
}

func TestOverrideAndResetWork(t *testing.T) {
	f := one(service("web", "image: a\nports: ['80:80', '81:81']\nhostname: a"))
	f["app/compose.override.yaml"] = "services:\n  web:\n    ports: !override ['82:82']\n    hostname: !reset null\n"
	c := container(t, mustRender(t, f.request(t)))
	if len(c.Ports) != 1 || c.Ports[0].Published != "82" || c.Hostname != "" {
		t.Errorf("%+v", c)
	}
}
