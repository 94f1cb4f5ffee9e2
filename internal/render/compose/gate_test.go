package compose

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/repo"
)

// beside writes a file next to the repository, where a climbing path would find
// it.
func beside(t *testing.T, req render.Request, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(req.Root), name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// twice is an app whose file f/f.yaml is read for two environments: T is
// harmless in the first, and what the case says in the second. The words of the
// second are harmless where d/e/c.yaml says them.
func twice(inner, second string, more files) files {
	return merge(files{
		"app/compose.yaml": "include:\n  - d/e/c.yaml\n  - {path: p1/c.yaml, env_file: e1.env}\n  - {path: p2/c.yaml, env_file: e2.env}\nservices: {main: {image: a}}\n",
		"app/e1.env":       "T=ok.yaml\nE=\nV=named\n",
		"app/e2.env":       second,
		"app/p1/c.yaml":    "include: [../f/f.yaml]\n",
		"app/p2/c.yaml":    "include: [../f/f.yaml]\n",
		"app/f/f.yaml":     inner,
		"app/f/ok.yaml":    "services: {x: {image: a}}\n",
		"app/d/e/c.yaml":   "services: {deep: {image: a}}\n",
		"outside.yaml":     "services: {x: {image: a}}\n",
		"app/x.env":        "A=1\n",
	}, more)
}

// What a file leads to is judged for each environment that it is read for, and
// for the place that says it.
func TestAFileThatIsReadTwiceIsJudgedTwice(t *testing.T) {
	deep := files{"app/d/e/c.yaml": "services: {deep: {extends: {file: ../../../outside.yaml, service: x}}}\n"}
	for name, c := range map[string]struct {
		files files
		words []string
	}{
		"extends":    {twice("services: {web: {extends: {file: '${T}', service: x}}}\n", "T=../../../outside.yaml\n", deep), []string{"app/f/f.yaml:1", "service web", "extends"}},
		"include":    {twice("include: ['${T}']\n", "T=../../../outside.yaml\n", files{"app/d/e/c.yaml": "include: [../../../outside.yaml]\n"}), []string{"app/f/f.yaml:1", "include"}},
		"directory":  {twice("include: [{path: ok.yaml, project_directory: '${E}'}]\n", "T=ok.yaml\nE=/etc\n", nil), []string{"app/f/f.yaml:1", "project_directory"}},
		"bind":       {twice("services: {web: {image: a, volumes: ['${V}:/v:ro']}}\nvolumes: {named: {}}\n", "V=../../../other\n", nil), []string{"app/f/f.yaml:1", "service web", "volumes"}},
		"env_file":   {twice("services: {web: {image: a, env_file: '${E}../x.env'}}\n", "E=../../\n", nil), []string{"app/f/f.yaml:1", "service web", "env_file"}},
		"many ports": {twice("services: {web: {image: a, ports: ['${P:-80}']}}\n", "P=1-65535\n", nil), []string{"service web", "ports", "1000"}},
		"extended":   {extendedTwice("T=../../../outside.yaml\n", deep), []string{"service web", "extends"}},
		"extended bind": {extendedTwice("V=../../../other\n", files{
			"app/f/base.yaml": "services: {x: {image: a, volumes: ['${V}:/v:ro']}}\nvolumes: {named: {}}\n"}), []string{"app/f/base.yaml", "service x", "volumes"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := c.files.request(t)
			beside(t, req, "outside.yaml", "services: {x: {image: a, environment: {OUTSIDE: 0utside-secret}}}\n")
			judge(t, req, failure(t, req), fault.Rejected, c.words...)
		})
	}
}

// extendedTwice is the same with a file that is extended from one place for two
// environments.
func extendedTwice(second string, more files) files {
	return merge(twice("", second, nil), files{
		"app/compose.yaml": "include:\n  - d/e/c.yaml\n  - {path: f/one.yaml, env_file: e1.env}\n  - {path: f/two.yaml, env_file: e2.env}\nservices: {main: {image: a}}\n",
		"app/f/one.yaml":   "services: {web: {extends: {file: base.yaml, service: x}}}\nvolumes: {named: {}}\n",
		"app/f/two.yaml":   "services: {web: {extends: {file: base.yaml, service: x}}}\nvolumes: {named: {}}\n",
		"app/f/base.yaml":  "services: {x: {extends: {file: '${T}', service: x}}}\n",
	}, more)
}

func TestWhatStandsInAnotherDocumentIsSeen(t *testing.T) {
	base := "services: {a: {extends: b}}\n---\nservices: {b: {image: x, extends: {file: '%s', service: c}}}\n"
	f := merge(web("extends: {file: base.yaml, service: a}"), files{
		"app/base.yaml": strings.Replace(base, "%s", "../../x.yaml", 1), "app/more.yaml": "services: {c: {image: a, hostname: h}}\n"})
	mustFail(t, f.request(t), fault.Rejected, "app/compose.yaml:4", "service web", "extends", "leaves the repository")
	f["app/base.yaml"] = strings.Replace(base, "%s", "more.yaml", 1)
	if got := container(t, mustRender(t, f.request(t))).Hostname; got != "h" {
		t.Errorf("hostname %q", got)
	}
}

func TestWhatIsMergedIntoTheFirstLevelIsSeen(t *testing.T) {
	for key, value := range map[string]string{"jobs": "{j: {extends: {file: x.yaml, service: x}}}", "models": "{m: {model: a}}"} {
		text := "x-a: &a {" + key + ": " + value + "}\n<<: *a\n" + webOnly
		mustFail(t, one(text).request(t), fault.Rejected, "app/compose.yaml", key)
	}
}

// Words that climb mean what they mean where they stand.
func TestTheSameWordsMeanDifferentFilesInDifferentPlaces(t *testing.T) {
	f := files{
		"hosts/a/compose.yaml": "include: [../../lib/x/y/c.yaml]\n" + service("web", "extends: {file: ../base.yaml, service: web}"),
		"hosts/base.yaml":      service("web", "hostname: h\nextends: {file: ../base.yaml, service: web}"),
		"base.yaml":            service("web", "image: a\nenv_file: e\nextends: {file: lib/x/more.yaml, service: more}"),
		"e":                    "FROM=root\n",
		"lib/x/y/c.yaml":       "services: {deep: {extends: {file: ../../../base.yaml, service: web}}, next: {extends: {file: ../base.yaml, service: n}}}\n",
		"lib/x/base.yaml":      "services: {n: {image: n, extends: {file: more.yaml, service: more}}}\n",
		"lib/x/more.yaml":      "services: {more: {domainname: d, env_file: e}}\n",
		"lib/x/e":              "LIB=x\n",
	}
	req := f.request(t)
	req.App.Dir = "hosts/a"
	a := mustRender(t, req)
	c := container(t, a)
	if c.Image != "a" || c.Hostname != "h" || c.DomainName != "d" || c.Environment["FROM"] != "root" || c.Environment["LIB"] != "x" {
		t.Errorf("%+v", c)
	}
	for key, want := range map[string]string{"container/deep/1": `"FROM":"root"`, "container/next/1": `"image":"n"`} {
		if got := string(object(t, a, key).Spec); !strings.Contains(got, want) || !strings.Contains(got, `"LIB":"x"`) {
			t.Errorf("%s lacks %s: %s", key, want, got)
		}
	}
}

// Where nobody can tell which of two files the words mean, and one of the places
// would lead out of the repository, nothing is guessed.
func TestWordsThatCannotBeToldApartAreRefused(t *testing.T) {
	f := files{
		"app/compose.yaml":     "include: [d/e/c.yaml]\nservices: {main: {image: a}}\n",
		"app/d/e/c.yaml":       "services: {one: {extends: {file: ../../base.yaml, service: x}}, web: {extends: {file: ../../lib/q/s/r.yaml, service: x}}}\n",
		"app/base.yaml":        "services: {x: {image: shallow}}\n",
		"app/lib/base.yaml":    "services: {x: {image: deep}}\n",
		"app/lib/q/s/r.yaml":   "services: {x: {extends: {file: ../../base.yaml, service: x}}}\n",
		"app/lib/q/s/dot.yaml": "services: {x: {extends: {file: ./../../base.yaml, service: x}}}\n",
	}
	mustFail(t, f.request(t), fault.Rejected, "../../base.yaml: leads to app/base.yaml and to app/lib/base.yaml", "./../../base.yaml")
	f["app/lib/q/s/r.yaml"] = f["app/lib/q/s/dot.yaml"]
	a := mustRender(t, f.request(t))
	if got := container(t, a).Image + " " + string(object(t, a, "container/one/1").Spec); !strings.HasPrefix(got, "deep ") || !strings.Contains(got, "shallow") {
		t.Error(got)
	}
}

// Should the scanner miss a file, no path of it becomes the host's.
func TestNoPathIsTheHostsThatNoFileSays(t *testing.T) {
	for name, text := range map[string]string{
		"volumes":            service("web", "image: a\nvolumes: ['../../x:/x']"),
		"absolute volumes":   service("web", "image: a\nvolumes: ['/srv/x:/x']"),
		"config c":           "services: {web: {image: a, configs: [c]}}\nconfigs: {c: {file: ../../x}}\n",
		"secret s":           "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: /etc/x}}\n",
		"driver_opts.device": "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {driver: local, driver_opts: {o: bind, type: none, device: ../../x}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			req := one(text).request(t)
			a := unscanned(t, req)
			var err error
			if a.project, err = a.compose(t.Context(), []string{"app/compose.yaml"}, newScanner(a)); err != nil {
				t.Fatal(err)
			}
			_, err = a.objects(t.Context())
			judge(t, req, err, fault.Rejected, strings.TrimPrefix(name, "absolute "), "leaves the repository")
		})
	}
}

// unscanned is an app whose files the scanner has not seen.
func unscanned(t *testing.T, req render.Request) *app {
	t.Helper()
	r, err := repo.Open(req.Root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close the snapshot: %v", err)
		}
	})
	r.Track(req.Tracked, req.Paths, req.Refused)
	a := newApp(req, r)
	a.index = newIndex("app/compose.yaml")
	return a
}

// compose-go decodes an include before it judges it, in any spelling, and reads
// what it names.
func TestAnIncludeHasItsThreeKeysOnly(t *testing.T) {
	for name, entry := range map[string]string{
		"no file":            "{env_file: OUTSIDE}",
		"an empty list":      "{path: [], env_file: OUTSIDE}",
		"an empty file":      "{path: '', env_file: OUTSIDE}",
		"another spelling":   "{path: i.yaml, Env_File: OUTSIDE}",
		"another directory":  "{path: i.yaml, PROJECT_DIRECTORY: /etc}",
		"the type's name":    "{path: i.yaml, envfile: OUTSIDE}",
		"a directory alone":  "{project_directory: /etc}",
		"a number":           "{path: i.yaml, project_directory: 5}",
		"a list in a list":   "[i.yaml]",
		"a mapping in a map": "{path: i.yaml, env_file: [{path: OUTSIDE}]}",
	} {
		t.Run(name, func(t *testing.T) {
			f := merge(one("include: [ENTRY]\n"+webOnly), files{"app/i.yaml": "services: {i: {image: a, environment: {A: '${TOKEN:-}'}}}\n"})
			req := f.request(t)
			beside(t, req, "outside.env", "TOKEN=0utside-secret\n")
			entry = strings.ReplaceAll(entry, "OUTSIDE", filepath.Join(filepath.Dir(req.Root), "outside.env"))
			text := strings.Replace(f["app/compose.yaml"], "ENTRY", entry, 1)
			if err := os.WriteFile(filepath.Join(req.Root, "app/compose.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			judge(t, req, failure(t, req), fault.Rejected, "app/compose.yaml:1: include: ")
		})
	}
}

// Should compose-go ever read values that the scanner did not, they are not put in.
func TestNoValueIsPutInThatTheScannerDidNotMeet(t *testing.T) {
	req := merge(one("include: [{path: i.yaml, env_file: e}]\n"+webOnly), files{
		"app/i.yaml": "services: {i: {image: 'a:${TAG:-none}'}}\n", "app/e": "TAG=unseen\n"}).request(t)
	a := unscanned(t, req)
	scan := newScanner(a)
	scan.leads.add("app/compose.yaml", "i.yaml", "app/i.yaml")
	if _, err := a.compose(t.Context(), []string{"app/compose.yaml"}, scan); err == nil || !strings.Contains(err.Error(), "TAG has a value that was not checked") {
		t.Errorf("loaded: %v", err)
	}
}
